"""The events of a ledger, and the records inside them.

An event says what was decided or measured, in JSON that a person can read. Big things
(structures, checkpoints, latent points) are artifacts, named here by their SHA-256.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    Field,
    FiniteFloat,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    field_serializer,
)

from alloop.loop.record.by_hand.brought import LabelsBrought
from alloop.loop.record.by_hand.candidates import (
    BatchAsked,
    CandidatesAdded,
    SessionAsked,
    Vetoed,
)
from alloop.loop.record.by_hand.changes import Retracted, SpecChanged
from alloop.loop.record.records import FORGOTTEN, Amount, ArtifactId, Count, Record
from alloop.oracles.base import INFEASIBLE, Cost, FailureKind, Status
from alloop.properties import joined_notes

FORMAT = 2
"""Version of the ledger's events; a run of any other format is refused, never misread."""

WRITERS = {1: "Alloop 0.1"}
"""Versions of Alloop that wrote the older formats."""


class Stage(StrEnum):
    """The part of a round that proposes candidates."""

    INITIAL = "initial"
    ACQUISITION = "acquisition"
    AUGMENTATION = "augmentation"
    PROMOTION = "promotion"
    UNREQUESTED = "unrequested"
    """Candidates outside any round: a person reported them unasked."""
    BROUGHT = "brought"
    """Labels that were known before, and are nobody's measurement here; never of a proposal."""


class Lineage(Record):
    """Lineage of a candidate: where it came from; enough to make it again."""

    source: Literal[
        "random",
        "latent",
        "climbed",
        "symmetric",
        "swap",
        "moved",
        "promoted",
        "reported",
        "table",
        "brought",
        "added",
    ]
    seed: int | None = None
    """Seed of the random draw, or of the decoding."""
    model: ArtifactId | None = None
    """Checkpoint that decoded it."""
    latents: ArtifactId | None = None
    """Array of latent points, of which ``row`` is this candidate's; of a table's candidate, ``row``
    is its place in the file."""
    row: int | None = None
    parent: ArtifactId | None = None
    """Candidate that it was made from by an exchange or by moves; of a table's row, the measured
    one that it was looked for around."""
    swap: tuple[int, int] | None = None
    """Sites whose species were exchanged."""
    mate: ArtifactId | None = None
    """Second parent of a crossover."""
    moves: tuple[tuple[str, str], ...] = ()
    """Parts in which it differs from its parent or, where it was climbed to, from what its latent
    point decodes to, each with what is there now: sites of an ordering, fractions of a composition,
    slots and frame of a crystal."""


class Posterior(Record):
    """Surrogate's posterior of a property, mean and standard deviation in its unit."""

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
    """Distance from passing, in the rule's own unit; negative means it failed by that much."""
    reason: str
    """Reason in one sentence, for people."""
    acquisition: float | None = None
    """Score at the moment of choice (logarithm of the expected improvement)."""
    posterior: dict[str, Posterior] = Field(default_factory=dict)
    """Posterior of the decision's own tier, by property."""
    high_fidelity: dict[str, Posterior] = Field(default_factory=dict)
    """Posterior of the top tier, by property, once earlier pairs of the tiers allow it."""
    lineage: Lineage


class CampaignOpened(Record):
    """The first event: the whole spec, defaults filled in."""

    kind: Literal["campaign_opened"] = "campaign_opened"
    format: int = FORMAT
    spec: dict[str, Any]
    fingerprints: tuple[str, ...]
    """Fingerprint of each tier's oracle."""
    versions: dict[str, str]
    """Versions of Python and of the distributions that can change a decision or a value."""
    packages: dict[str, str] = Field(default_factory=dict)
    """Distribution that brings each kind of tier or model which is not Alloop's own, by
    ``group:kind`` of its entry point."""
    start_checkpoint: ArtifactId | None = None
    """The model that the first one continues; None where it begins afresh."""
    seal: str = ""
    """Seal of everything else in this event under the key of the user who began the run."""


class SessionOpened(Record):
    """Event: a controller began to work on the run."""

    kind: Literal["session_opened"] = "session_opened"
    scheduling: dict[str, Any] | None = None
    """Scheduling from here on, in the form of a spec; None where that did not change."""
    seal: str = ""
    """Seal of the first event's hash under the key of a user who trusts a run that somebody else
    began; empty where this session's user began it, or had said so before."""


class SessionClosed(Record):
    """Event: a controller stopped on purpose; after a crash there is none."""

    kind: Literal["session_closed"] = "session_closed"
    reason: str
    is_pause: bool = False
    """Whether a limit on time ended the session before the campaign was done; it can go on."""


class ReferenceTaken(Record):
    """Event: reference point and scales of several objectives, taken from the first labels. They
    stay, whatever is measured later; what the spec states stands over them."""

    kind: Literal["reference_taken"] = "reference_taken"
    reference: dict[str, float]
    """Value of each objective's property that a candidate has to beat, in its unit; of a window, a
    value as far below it."""
    scales: dict[str, float]
    """Spread of each objective, in its property's unit."""
    n_labels: int
    """Number of labels that they were taken from."""


class SelfTested(Record):
    """Event: a tier's oracle passed its self-test, before the first measurement by it."""

    kind: Literal["self_tested"] = "self_tested"
    tier: int
    oracle: str
    fingerprint: str
    properties: dict[str, FiniteFloat]
    """Values of one element in its stable crystal; see ``CanSelfTest``."""
    remarks: dict[str, str] = Field(default_factory=dict)
    seconds: Amount
    """Wall time of the test, s."""
    facts: dict[str, Any]
    """Element, seconds per call, and what identifies the oracle: versions, SHA-256 of files."""


class ModelFitted(Record):
    """Event: the model of a round, trained on all labels up to this event."""

    kind: Literal["model_fitted"] = "model_fitted"
    round: int
    checkpoint: ArtifactId
    n_labelled: int
    n_unlabelled: int
    epochs: int
    seconds: float
    metrics: dict[str, float]


class Proposed(Record):
    """Event: the candidates considered at one point, and those chosen to be measured."""

    kind: Literal["proposed"] = "proposed"
    round: int
    stage: Stage
    iteration: int = 0
    """Iteration of the local search, or part of the first candidates; 0 elsewhere."""
    tier: int = 0
    decisions: tuple[Decision, ...]
    """Decisions in their order; read from a ledger they are decoded when one is looked at (see
    ``stored_events``)."""
    notes: dict[str, float | str] = Field(default_factory=dict)
    """Facts about the choice: trust region, surrogate's fit."""

    @field_serializer("decisions", mode="wrap")
    def _serialize_decisions(self, decisions: Any, serialize: SerializerFunctionWrapHandler) -> Any:
        return serialize(tuple(decisions))


class Paid(Record):
    """Base of the events of paid measurements: the task and its cost, whatever came of it."""

    evaluation: str
    """Evaluation id, a hash of candidate and fingerprint."""
    candidate: ArtifactId
    round: int
    stage: Stage
    tier: int
    oracle: str
    calls: Count = 1
    wall_seconds: Amount = 0.0
    core_hours: Amount = 0.0
    money: Amount = 0.0

    @property
    def cost(self) -> Cost:
        """Cost of the attempt."""
        return Cost(self.calls, self.wall_seconds, self.core_hours, self.money)


class Reuse(Record):
    """Origin of a reused measurement: another campaign, and what it had cost then."""

    run: str
    """Run directory that it was measured in."""
    calls: Count
    wall_seconds: Amount
    core_hours: Amount
    money: Amount

    @classmethod
    def of(cls, run: str, cost: Cost) -> Self:
        """Return the record of a run and a cost."""
        return cls(run=run, **vars(cost))

    @property
    def cost(self) -> Cost:
        """Cost that was paid then."""
        return Cost(self.calls, self.wall_seconds, self.core_hours, self.money)


class AttemptFailed(Paid):
    """Event: an attempt that the machine failed, because its worker was lost or its time limit
    reached. It is tried again."""

    kind: Literal["attempt_failed"] = "attempt_failed"
    attempt: int
    """Number of the attempt: 1, 2, 3, …"""
    failure_kind: FailureKind
    failure_message: str


class Measured(Paid):
    """Event: one oracle's measurement of one candidate; a ledger holds each evaluation's once."""

    kind: Literal["measured"] = "measured"
    status: Status
    properties: dict[str, FiniteFloat]
    failure_kind: FailureKind | None = None
    failure_message: str = ""
    relaxed: ArtifactId | None = None
    document: ArtifactId | None = None
    """Artifact of the oracle's record of its calculations, JSON."""
    fingerprint: str
    """Fingerprint of the tier's oracle or, for a warm start, its ``exchange_fingerprint``."""
    doubts: dict[str, str] = Field(default_factory=dict)
    """Reason for which a value is not to be relied on, by property name. Where the campaign wants
    the property, nothing is chosen, learnt or promoted by the measurement."""
    remarks: dict[str, str] = Field(default_factory=dict)
    """What the oracle found and settled on the way to a value, by property name."""
    corrects: int | None = None
    """Sequence number of the entry whose values these replace, because a person had made a
    mistake."""
    is_partial: bool = False
    """Whether some of a person's properties are still missing; the evaluation stays pending."""
    source: str = ""
    """Source of a person's result: SHA-256 of the file; empty for one that was typed."""
    who: str = ""
    """Person who gave the result; empty for an oracle's."""
    why: str = ""
    """Remark of that person."""

    reuse: Reuse | None = None
    """Origin of a reused measurement; None where it was measured for this campaign."""

    def with_properties(self, properties: dict[str, float]) -> Self:
        """Return the measurement with other properties, which are not validated again.

        As ``model_copy``, in a tenth of the time: a state with a hull makes one of each
        measurement.
        """
        copy = type(self).__new__(type(self))
        copy.__setstate__(
            {
                "__dict__": {**self.__dict__, "properties": properties},
                "__pydantic_fields_set__": FORGOTTEN,
                "__pydantic_extra__": None,
                "__pydantic_private__": None,
            }
        )
        return copy

    @property
    def worth(self) -> Cost:
        """Cost of the measurement, whoever paid for it."""
        return self.cost if self.reuse is None else self.reuse.cost

    def doubt(self, names: Iterable[str]) -> str:
        """Return why the values of these properties are not to be relied on; empty where they
        are."""
        return joined_notes(self.doubts, names)

    @property
    def is_infeasible(self) -> bool:
        """Whether the material itself made the measurement fail, and always would."""
        return self.failure_kind in INFEASIBLE


class CampaignClosed(Record):
    """Event: the campaign ended, since its budget is spent or nothing is left to propose."""

    kind: Literal["campaign_closed"] = "campaign_closed"
    reason: str


Event = Annotated[
    CampaignOpened
    | SessionOpened
    | SessionClosed
    | SessionAsked
    | LabelsBrought
    | BatchAsked
    | CandidatesAdded
    | Vetoed
    | ReferenceTaken
    | SelfTested
    | ModelFitted
    | Proposed
    | AttemptFailed
    | Measured
    | SpecChanged
    | Retracted
    | CampaignClosed,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes any event."""


class LedgerEntry(NamedTuple):
    """An event with its place in the chain."""

    seq: int
    """Sequence number of the entry: 1, 2, 3, …"""
    time: str
    """Time of the entry: UTC, ISO 8601."""
    event: Event
    previous: str
    """Hash of the entry before; 64 zeros for the first."""
    hash: str
    """SHA-256 over canonical JSON of seq, time, event and previous."""
