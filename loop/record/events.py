"""The events of a ledger, and the records inside them.

An event says what was decided or measured, in JSON that a person can read. Big things
(structures, checkpoints, latent points) are artifacts, named here by their SHA-256.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from alloop.oracles.base import INFEASIBLE, Cost, FailureKind, Status

FORMAT = 2
"""Version of the ledger's events; a run of any other format is refused, never misread."""

WRITERS = {1: "Alloop 0.1"}
"""Who wrote the older formats."""


class InStore:
    """Marks a field whose value is the key of an artifact that the run's store holds."""


ArtifactId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), InStore()]
"""SHA-256 of an artifact's bytes; of a candidate, its material's canonical JSON."""


class Record(BaseModel):
    """A frozen record; unknown keys are errors."""

    # A record that is only read inside another is never built on its own: half of what the import
    # of this module took.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def model_post_init(self, context: Any) -> None:
        """Forget which fields were given: a set for each of ten thousand events takes more memory
        than the events.
        """
        object.__setattr__(self, "__pydantic_fields_set__", _FORGOTTEN)


_FORGOTTEN: set[str] = set()


class Stage(StrEnum):
    """The part of a round that proposes candidates."""

    INITIAL = "initial"
    ACQUISITION = "acquisition"
    AUGMENTATION = "augmentation"
    PROMOTION = "promotion"
    UNREQUESTED = "unrequested"
    """Of no round's making: a person reported it unasked."""


class Lineage(Record):
    """Where a candidate came from; enough to make it again."""

    source: Literal["random", "latent", "swap", "promoted", "reported", "table"]
    seed: int | None = None
    """Of the random draw, or of the decoding."""
    model: ArtifactId | None = None
    """Checkpoint that decoded it."""
    latents: ArtifactId | None = None
    """Array of latent points, of which ``row`` is this candidate's; of a table's candidate, ``row``
    is its place in the file."""
    row: int | None = None
    parent: ArtifactId | None = None
    """Candidate whose atoms were swapped."""
    swap: tuple[int, int] | None = None
    """Sites whose species were exchanged."""


class Posterior(Record):
    """What the surrogate expected of a property, in its unit."""

    mean: float
    std: float


class Decision(Record):
    """One choice: chosen, or rejected by which rule and by what margin."""

    candidate: ArtifactId
    formula: str
    lattice: str | None = None
    chosen: bool
    rule: str | None = None
    """The rule that rejected it; None for the chosen."""
    margin: float | None = None
    """How far from passing, in the rule's own unit; negative means it failed by that much."""
    reason: str
    """One sentence for people."""
    acquisition: float | None = None
    """Score at the moment of choice (logarithm of the expected improvement)."""
    posterior: dict[str, Posterior] = {}
    """What the decision's own tier was expected to say."""
    high_fidelity: dict[str, Posterior] = {}
    """What the top tier was expected to say, once it could be told from earlier pairs."""
    lineage: Lineage


class CampaignOpened(Record):
    """The first event: the whole spec, defaults filled in."""

    kind: Literal["campaign_opened"] = "campaign_opened"
    format: int = FORMAT
    spec: dict[str, Any]
    fingerprints: tuple[str, ...]
    """Of each tier's oracle."""
    versions: dict[str, str]
    """Of Python and of the distributions that can change a decision or a value."""
    packages: dict[str, str] = {}
    """Distribution that brings each kind of tier or model which is not Alloop's own, by kind."""
    start_checkpoint: ArtifactId | None = None
    """The model that the first one continues; None where it begins afresh."""


class SessionOpened(Record):
    """A controller began to work on the run."""

    kind: Literal["session_opened"] = "session_opened"
    scheduling: dict[str, Any] | None = None
    """How it runs from here on, in the form of a spec; None where that did not change."""


class SessionClosed(Record):
    """A controller stopped on purpose; after a crash there is none."""

    kind: Literal["session_closed"] = "session_closed"
    reason: str


class ModelFitted(Record):
    """The model of a round, trained on all labels up to this event."""

    kind: Literal["model_fitted"] = "model_fitted"
    round: int
    checkpoint: ArtifactId
    n_labelled: int
    n_unlabelled: int
    epochs: int
    seconds: float
    metrics: dict[str, float]


class Proposed(Record):
    """What was considered at one point, and what was chosen to be measured."""

    kind: Literal["proposed"] = "proposed"
    round: int
    stage: Stage
    iteration: int = 0
    """Of the local search; 0 elsewhere."""
    tier: int = 0
    decisions: tuple[Decision, ...]
    notes: dict[str, float | str] = {}
    """Facts about the choice: trust region, surrogate's fit."""


class Paid(Record):
    """What an oracle was asked for and what that cost, whatever came of it."""

    evaluation: str
    """Key of candidate and fingerprint."""
    candidate: ArtifactId
    round: int
    stage: Stage
    tier: int
    oracle: str
    calls: int = 1
    wall_seconds: float = 0.0
    core_hours: float = 0.0
    money: float = 0.0

    @property
    def cost(self) -> Cost:
        """What it cost."""
        return Cost(self.calls, self.wall_seconds, self.core_hours, self.money)


class Reuse(Record):
    """That an answer was given before, to another campaign, and what it had cost then."""

    run: str
    """The run directory it was measured in."""
    calls: int
    wall_seconds: float
    core_hours: float
    money: float

    @classmethod
    def of(cls, run: str, cost: Cost) -> Self:
        """Return the record of a run and a cost."""
        return cls(run=run, **vars(cost))

    @property
    def cost(self) -> Cost:
        """What it had cost."""
        return Cost(self.calls, self.wall_seconds, self.core_hours, self.money)


class AttemptFailed(Paid):
    """A measurement that the machine failed: its worker was lost or its time over. It is tried
    again.
    """

    kind: Literal["attempt_failed"] = "attempt_failed"
    attempt: int
    """1, 2, 3, …"""
    failure_kind: FailureKind
    failure_message: str


class Measured(Paid):
    """One oracle's answer about one candidate; a ledger holds each evaluation's once."""

    kind: Literal["measured"] = "measured"
    status: Status
    properties: dict[str, float]
    failure_kind: FailureKind | None = None
    failure_message: str = ""
    relaxed: ArtifactId | None = None
    document: ArtifactId | None = None
    """JSON of what the oracle kept of its calculations."""
    fingerprint: str
    """The tier's or, for a warm start, the oracle's ``exchange_fingerprint``."""
    corrects: int | None = None
    """Entry whose values these replace: a person had made a mistake."""
    is_partial: bool = False
    """Whether a person still owes some of the properties; the evaluation stays pending."""
    source: str = ""
    """Where a person's answer stood: SHA-256 of the file; empty for one that was typed."""

    reuse: Reuse | None = None
    """Where the answer comes from, if it was not measured for this campaign; it cost nothing."""

    @property
    def worth(self) -> Cost:
        """What it cost whoever had it measured."""
        return self.cost if self.reuse is None else self.reuse.cost

    @property
    def is_infeasible(self) -> bool:
        """Whether the material itself made the measurement fail, and always would."""
        return self.failure_kind in INFEASIBLE


class CampaignClosed(Record):
    """The budget is spent, or nothing is left to propose."""

    kind: Literal["campaign_closed"] = "campaign_closed"
    reason: str


Event = Annotated[
    CampaignOpened
    | SessionOpened
    | SessionClosed
    | ModelFitted
    | Proposed
    | AttemptFailed
    | Measured
    | CampaignClosed,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes any event."""


@dataclass(frozen=True)
class LedgerEntry:
    """An event with its place in the chain."""

    seq: int
    """1, 2, 3, …"""
    time: str
    """UTC, ISO 8601."""
    event: Event
    previous: str
    """Hash of the entry before; 64 zeros for the first."""
    hash: str
    """SHA-256 over canonical JSON of seq, time, event and previous."""
