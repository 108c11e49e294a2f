"""The state of a campaign: a pure fold over its events, and the next unfinished step."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from alloop.campaigns.spec import CampaignSpec
from alloop.canonical import sha256
from alloop.errors import LedgerError, one_line
from alloop.loop.record.events import (
    AttemptFailed,
    CampaignClosed,
    CampaignOpened,
    Decision,
    LedgerEntry,
    Measured,
    ModelFitted,
    Paid,
    Proposed,
    ReferenceTaken,
    SelfTested,
    SessionClosed,
    SessionOpened,
    Stage,
)
from alloop.loop.record.stored_events import Moments, outline_of
from alloop.loop.state.budgets import TierBudget, tier_budgets
from alloop.loop.state.choices import Choices
from alloop.loop.state.ranking.utility import Utility
from alloop.loop.state.recorded_spec import recorded_spec, rescheduled_spec
from alloop.oracles.base import Cost, Status
from alloop.properties import ENERGY_ABOVE_HULL, FORMATION_ENERGY

if TYPE_CHECKING:
    from alloop.loop.state.hull import Hull
    from alloop.loop.state.trials import Trial


def evaluation_id(candidate: str, fingerprint: str) -> str:
    """Return the key under which a candidate's value by an oracle is asked for once."""
    return sha256(f"{candidate} {fingerprint}")[:32]


@dataclass(frozen=True)
class Evaluation:
    """A chosen candidate that is to be measured."""

    id: str
    candidate: str
    tier: int
    round: int
    stage: Stage

    def event_fields(self) -> dict[str, Any]:
        """Return what an event about it says of it, by the event's fields."""
        return {"evaluation" if name == "id" else name: value for name, value in vars(self).items()}


@dataclass(frozen=True)
class CampaignState:
    """State of a campaign, derived from its events."""

    spec: CampaignSpec
    fingerprints: tuple[str, ...]
    """Fingerprint of each tier's oracle."""
    proposals: tuple[Proposed, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    """Every evaluation asked for so far, in the order of the decisions."""
    models: Mapping[int, ModelFitted] = field(default_factory=dict)
    """Fitted models by round."""
    recorded: Mapping[str, Measured] = field(default_factory=dict)
    """Measurements by evaluation id, in order of arrival, as the ledger has them; of a corrected
    one the newest values."""
    partial: Mapping[str, Measured] = field(default_factory=dict)
    """Partial results of people, with some properties still missing, by evaluation id."""
    attempts: Mapping[str, tuple[AttemptFailed, ...]] = field(default_factory=dict)
    """Failed attempts by evaluation id; the measurement that followed is not among them."""
    wall_seconds: float = 0.0
    """Wall time under a controller over all sessions, s."""
    n_sessions: int = 0
    closed: str | None = None
    """Reason for which the campaign ended; None while it has not."""
    paused: str | None = None
    """Reason for which the last session ended before the campaign was done, with what was left
    undone; None where no limit on time ended it."""
    reference: ReferenceTaken | None = None
    """Reference point and scales of several objectives; None until the first labels are there."""
    start_checkpoint: str | None = None
    """Artifact of the checkpoint that the first model continues."""
    self_tests: Mapping[int, SelfTested] = field(default_factory=dict)
    """Self-tests that oracles have passed, by tier."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of the software that opened the campaign, by name."""
    began: str = ""
    """Time of the first event: UTC, ISO 8601."""
    latest: str = ""
    """Time of the last event."""

    @cached_property
    def infeasible(self) -> Mapping[str, Measured]:
        """Failed measurements that are due to the material itself, by candidate; nothing like it is
        proposed again. What the machine failed to measure is not here, it is missing."""
        return {m.candidate: m for m in self.recorded.values() if m.is_infeasible}

    @property
    def reasons_infeasible(self) -> dict[str, str]:
        """Reasons why infeasible candidates are, in a few words, by candidate."""
        return {id: f"{m.failure_kind}: {m.failure_message}" for id, m in self.infeasible.items()}

    @property
    def pending(self) -> tuple[Evaluation, ...]:
        """Evaluations without a measurement."""
        return tuple(e for e in self.evaluations if e.id not in self.recorded)

    @cached_property
    def requested(self) -> tuple[Proposed, ...]:
        """The loop's own proposals, without what people reported unasked."""
        return tuple(p for p in self.proposals if p.stage is not Stage.UNREQUESTED)

    @cached_property
    def measured(self) -> Mapping[str, Measured]:
        """Measurements by evaluation id, in order of arrival, with the properties that the
        campaign wants and derives from all of them.
        """
        if ENERGY_ABOVE_HULL not in self.spec.property_names():
            return self.recorded
        return {id: self._with_hull(m) for id, m in self.recorded.items()}

    @cached_property
    def hulls(self) -> "tuple[Hull | None, ...]":
        """Hull of each tier, of everything it measured; None while it has no formation energy.

        A hull is a function of the measurements known now: a new one may lower it.
        """
        return tuple(self._hull(tier) for tier in range(len(self.spec.tiers)))

    def _hull(self, tier: int) -> "Hull | None":
        # Most campaigns' states are read without a hull, and numpy with it.
        from alloop.loop.state.hull import Phase, amounts_in, hull_of  # noqa: PLC0415

        formulas = self.formulas
        found = tuple(
            Phase(formula, m.properties[FORMATION_ENERGY], m.candidate)
            for m in self._answered(self.recorded, tier)
            if FORMATION_ENERGY in m.properties
            and FORMATION_ENERGY not in m.doubts
            and amounts_in(formula := formulas[m.candidate])
        )
        return hull_of(tuple(self.spec.space.elements), found) if found else None

    def _with_hull(self, m: Measured) -> Measured:
        hull = self.hulls[m.tier] if m.status is Status.OK else None
        if hull is None or ENERGY_ABOVE_HULL in m.properties:
            return m
        if (doubt := m.doubts.get(FORMATION_ENERGY)) is not None:
            return m.model_copy(update={"doubts": m.doubts | {ENERGY_ABOVE_HULL: doubt}})
        above = hull.energies_above.get(m.candidate)
        derived = {} if above is None else {ENERGY_ABOVE_HULL: above}
        return m.with_properties(m.properties | derived)

    @cached_property
    def trials(self) -> "tuple[Trial, ...]":
        """Every decision, chosen or not, with what came of it, in their order."""
        from alloop.loop.state.trials import joined  # noqa: PLC0415 (it knows this module)

        return tuple(joined(self))

    @cached_property
    def foreseen(self) -> "tuple[tuple[Trial, Mapping[str, Moments]], ...]":
        """Trials of tier 0 that were predicted and answered, in their order, with the posterior of
        each property."""
        from alloop.loop.state.trials import foreseen  # noqa: PLC0415 (it knows this module)

        return tuple(foreseen(self))

    @cached_property
    def decisions(self) -> Mapping[str, Decision]:
        """The first choice of each chosen candidate, by candidate id."""
        return Choices(self.proposals)

    @cached_property
    def formulas(self) -> Mapping[str, str]:
        """Formula of each chosen candidate, by candidate id."""
        formulas: dict[str, str] = {}
        for proposal in self.proposals:
            for decision in outline_of(proposal):
                if decision["chosen"]:
                    formulas.setdefault(decision["candidate"], decision["formula"])
        return formulas

    def answers(self, tier: int = 0) -> tuple[Measured, ...]:
        """Return the successful, reliable measurements of a tier, in the order of the decisions:
        an order that does not depend on which worker was faster.

        They are what models learn from, what is compared, searched around and promoted.
        """
        if tier not in self._answers:
            answered = self._answered(self.measured, tier)
            self._answers[tier] = tuple(m for m in answered if self.is_reliable(m))
        return self._answers[tier]

    @cached_property
    def _answers(self) -> dict[int, tuple[Measured, ...]]:
        return {}

    def is_reliable(self, m: Measured) -> bool:
        """Return whether no property that the campaign wants is in doubt."""
        return not m.doubts or not m.doubt(self.spec.property_names())

    def _answered(self, measured: Mapping[str, Measured], tier: int) -> tuple[Measured, ...]:
        answers = (measured.get(e.id) for e in self.evaluations if e.tier == tier)
        return tuple(m for m in answers if m is not None and m.status is Status.OK)

    @cached_property
    def utility(self) -> Utility:
        """Utility by the campaign's objectives. With several, reference point and scales are those
        of the first labels; until these are complete, those of what tier 0 has measured so far."""
        if self.reference is not None or len(self.spec.objectives) == 1:
            return Utility.of(self.spec, taken=self.reference)
        return Utility.of(self.spec, [m.properties for m in self.answers()])

    def best(self, tier: int = 0, round: int | None = None) -> Measured | None:
        """Return the best successful, reliable measurement of a tier, feasible ones first."""
        if (tier, round) not in self._bests:
            answers = [m for m in self.answers(tier) if round is None or m.round == round]
            rank = self.utility.rank
            best = max(answers, key=lambda m: rank(m.properties), default=None)
            self._bests[tier, round] = best
        return self._bests[tier, round]

    @cached_property
    def _bests(self) -> dict[tuple[int, int | None], Measured | None]:
        return {}

    def cost(self, tier: int) -> Cost:
        """Return the cost of a tier's measurements, failed attempts included."""
        return self._costs[tier]

    @cached_property
    def _costs(self) -> tuple[Cost, ...]:
        """Cost of each tier's measurements and failed attempts."""
        paid: list[list[Paid]] = [[] for _ in self.fingerprints]
        for m in chain[Paid](self.recorded.values(), chain.from_iterable(self.attempts.values())):
            paid[m.tier].append(m)
        return tuple(_total(each) for each in paid)

    def tier_budgets(self, tier: int) -> tuple[TierBudget, ...]:
        """Return a tier's budgets of core-hours and money, one for each limit."""
        core_hours, money = self.spec.budget.limits(tier)
        if core_hours is None and money is None:
            return ()
        n_paid = sum(m.tier == tier for m in self.recorded.values())
        # Counted as if all had been measured for this campaign: what it decides must not depend
        # on what others happened to have measured before.
        reused = (m for m in self.recorded.values() if m.tier == tier and m.reuse is not None)
        worth = sum((m.worth for m in reused), self.cost(tier))
        return tier_budgets(worth, n_paid, core_hours=core_hours, money=money)

    def remaining(self, tier: int = 0) -> int:
        """Return the number of measurements left in a tier's budget, pending ones counted as made:
        by number, and by what they have cost so far where core-hours or money are limited."""
        asked = sum(e.tier == tier and e.stage is not Stage.UNREQUESTED for e in self.evaluations)
        affordable = [
            n
            for tier_budget in self.tier_budgets(tier)
            if (n := tier_budget.affordable) is not None
        ]
        return min(self.spec.budget.measurements[tier] - asked, *affordable, sys.maxsize)

    def exhaustion(self, tier: int) -> str | None:
        """Return the reason why a tier measures nothing more; None while it does."""
        for tier_budget in self.tier_budgets(tier):
            if (reason := tier_budget.exhaustion) is not None:
                return f"tier {tier}: {reason}"
        if self.remaining(tier) > 0:
            return None
        return f"tier {tier}: all {self.spec.budget.measurements[tier]} measurements are spent"


class Fold:
    """Incremental fold of a ledger: entries go in one by one, the state can be read at any time.

    What it gives depends on the entries alone, as with ``fold``; a controller that appends an
    entry need not begin again.
    """

    def __init__(self) -> None:
        self._opened: CampaignOpened | None = None
        self._spec: CampaignSpec | None = None
        self._proposals: list[Proposed] = []
        self._evaluations: list[Evaluation] = []
        self._models: dict[int, ModelFitted] = {}
        self._recorded: dict[str, Measured] = {}
        self._partial: dict[str, Measured] = {}
        self._attempts: dict[str, tuple[AttemptFailed, ...]] = {}
        self._self_tests: dict[int, SelfTested] = {}
        self._wall, self._sessions = 0.0, 0
        self._closed: str | None = None
        self._paused: str | None = None
        self._reference: ReferenceTaken | None = None
        self._began: str = ""
        self._session_began: datetime | None = None
        self._latest: datetime | None = None
        self._required: dict[int, tuple[str, ...]] = {}
        self._proposed: set[str] = set()

    def add(self, entry: LedgerEntry) -> None:
        """Take in the next entry.

        Raises:
            LedgerError: if it is the first and does not open a campaign, or does not fit those
                before it.
        """
        try:
            self._add(entry)
        except (ValueError, LookupError, TypeError) as error:  # pydantic's are ValueErrors
            raise LedgerError(
                f"this event does not fit those before it ({one_line(error)[:300]})",
                where=str(entry.seq),
                remedy="Alloop does not write such; restore the ledger from a copy.",
            ) from error

    def _add(self, entry: LedgerEntry) -> None:  # noqa: PLR0912 (a case for each kind of event)
        event, time = entry.event, _time_of(entry)
        self._began = self._began or entry.time
        if isinstance(event, CampaignOpened):
            self._opened, self._spec = event, recorded_spec(event)
        if self._opened is None or self._spec is None:
            raise LedgerError("the first event does not open a campaign", where=str(entry.seq))
        tier = getattr(event, "tier", 0)
        if not 0 <= tier < len(self._opened.fingerprints):
            raise ValueError(f"there is no tier {tier}")
        match event:
            case Measured():  # nearly all are
                self._require_whole(self._spec, event)
                self._measured(event)
            case SessionOpened():
                self._wall += _span(self._session_began, self._latest)
                self._session_began, self._sessions = time, self._sessions + 1
                self._paused = None
                if event.scheduling is not None:
                    self._spec = rescheduled_spec(self._spec, event.scheduling, self._opened)
            case ReferenceTaken():
                self._reference = self._reference or event
            case SelfTested():
                self._self_tests[event.tier] = event
            case ModelFitted():
                self._models[event.round] = event
            case Proposed():
                self._proposals.append(event)
                self._proposed.update(d["candidate"] for d in outline_of(event) if d["chosen"])
                self._evaluations += _asked_by(event, self._opened.fingerprints)
            case AttemptFailed():
                earlier = self._attempts.get(event.evaluation, ())
                self._attempts[event.evaluation] = (*earlier, event)
            case CampaignClosed():
                self._closed = event.reason
            case SessionClosed():
                self._paused = event.reason if event.is_pause else None
        self._latest = time

    def _measured(self, event: Measured) -> None:
        if event.is_partial:
            self._partial[event.evaluation] = event
            return
        if event.corrects is not None:
            self._recorded[event.evaluation] = event
        else:
            self._recorded.setdefault(event.evaluation, event)
        self._partial.pop(event.evaluation, None)

    def _require_whole(self, spec: CampaignSpec, measured: Measured) -> None:
        """Raise ValueError if a measurement lacks what the campaign ranks by, or is of a
        candidate that was never proposed.
        """
        if measured.candidate not in self._proposed:
            raise ValueError(f"its candidate {measured.candidate[:12]} was never proposed")
        if measured.tier not in self._required:
            self._required[measured.tier] = spec.required_properties(measured.tier)
        if measured.status is Status.OK and not measured.is_partial:
            required = self._required[measured.tier]
            if missing := [name for name in required if name not in measured.properties]:
                raise ValueError(f"it measured no {', '.join(missing)}")

    def state(self) -> CampaignState | None:
        """Return the state that the entries so far amount to; None if there was none."""
        if self._opened is None or self._spec is None:
            return None
        return CampaignState(
            spec=self._spec,
            fingerprints=self._opened.fingerprints,
            proposals=tuple(self._proposals),
            evaluations=tuple(self._evaluations),
            models=dict(self._models),
            recorded=dict(self._recorded),
            partial=dict(self._partial),
            attempts=dict(self._attempts),
            self_tests=dict(self._self_tests),
            wall_seconds=self._wall + _span(self._session_began, self._latest),
            n_sessions=self._sessions,
            closed=self._closed,
            paused=self._paused,
            reference=self._reference,
            start_checkpoint=self._opened.start_checkpoint,
            versions=self._opened.versions,
            began=self._began,
            latest="" if self._latest is None else self._latest.isoformat(),
        )


def fold(entries: Iterable[LedgerEntry]) -> CampaignState | None:
    """Return the state that a ledger's entries amount to; None for an empty ledger.

    Raises:
        LedgerError: if the first event does not open a campaign.
    """
    folding = Fold()
    for entry in entries:
        folding.add(entry)
    return folding.state()


def _asked_by(proposal: Proposed, fingerprints: Sequence[str]) -> Iterator[Evaluation]:
    for decision in outline_of(proposal):
        if decision["chosen"]:
            yield Evaluation(
                evaluation_id(decision["candidate"], fingerprints[proposal.tier]),
                decision["candidate"],
                proposal.tier,
                proposal.round,
                proposal.stage,
            )


def _time_of(entry: LedgerEntry) -> datetime:
    try:
        return datetime.fromisoformat(entry.time)
    except ValueError as error:
        raise LedgerError(f"{entry.time!r} is no time", where=f"entry {entry.seq}") from error


def _total(paid: Iterable[Paid]) -> Cost:
    """Return the sum of costs, without a record for each partial one."""
    calls, wall_seconds, core_hours, money = 0, 0.0, 0.0, 0.0
    for m in paid:
        calls += m.calls
        wall_seconds += m.wall_seconds
        core_hours += m.core_hours
        money += m.money
    return Cost(calls, wall_seconds, core_hours, money)


def _span(began: datetime | None, ended: datetime | None) -> float:
    return 0.0 if began is None or ended is None else max((ended - began).total_seconds(), 0.0)
