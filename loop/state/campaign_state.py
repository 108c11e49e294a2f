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
from alloop.loop.record.brought import LabelsBrought
from alloop.loop.record.by_hand import BatchAsked, CandidatesAdded, Vetoed
from alloop.loop.record.changes import Retracted, SpecChanged
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
from alloop.loop.state.brought import brought_answers, brought_measurements, without_values
from alloop.loop.state.budgets import TierBudget, tier_budgets
from alloop.loop.state.by_hand.decisions import HandDecisions
from alloop.loop.state.choices import Choices
from alloop.loop.state.ranking.utility import Utility
from alloop.loop.state.recorded_spec import amended_spec, recorded_spec, rescheduled_spec
from alloop.loop.state.terms import RetractedLabel, Retraction, Standing, Terms
from alloop.oracles.base import Cost, Status
from alloop.properties import ENERGY_ABOVE_HULL

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
    by_hand: HandDecisions = field(default_factory=HandDecisions)
    """Decisions that people made by hand: vetoes, added candidates, sizes of batches."""
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
    brought: tuple[LabelsBrought, ...] = ()
    """Labels and materials that were brought, in the order in which they came."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of the software that opened the campaign, by name."""
    began: str = ""
    """Time of the first event: UTC, ISO 8601."""
    latest: str = ""
    """Time of the last event."""
    terms: tuple[Terms, ...] = ()
    """Terms that the campaign has gone by, in order; the last are in force."""
    retractions: tuple[Retraction, ...] = ()
    """Measurements that were taken back, in order; they are not among the recorded ones."""
    retracted_labels: tuple[RetractedLabel, ...] = ()
    """Labels that were brought and taken back, in order; they are not among what was brought."""
    outdated_models: frozenset[int] = frozenset()
    """Rounds whose model has learnt from what was taken back since, or knows other properties or
    another space than those in force: none goes on from it."""

    @cached_property
    def retracted(self) -> Mapping[str, Retraction]:
        """Newest retraction of each evaluation that was taken back and not measured since, by
        evaluation id."""
        newest = {r.measured.evaluation: r for r in self.retractions}
        return {id: r for id, r in newest.items() if id not in self.recorded}

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
        """Evaluations that are to be measured: those without a measurement that no veto withdrew,
        and of those whose measurement was taken back the ones that were asked for again."""
        settled = {id for id, r in self.retracted.items() if not r.event.again}
        return tuple(
            e
            for e in self.evaluations
            if e.id not in self.recorded and e.id not in settled and not self.is_withdrawn(e)
        )

    def is_withdrawn(self, evaluation: Evaluation) -> bool:
        """Return whether a candidate was vetoed before this evaluation of it was answered."""
        return (
            evaluation.candidate in self.by_hand.vetoes
            and evaluation.id not in self.recorded
            and evaluation.id not in self.retracted
        )

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
        from alloop.loop.state.hull import with_energy_above_hull  # noqa: PLC0415 (numpy)

        return {id: with_energy_above_hull(m, self.hulls) for id, m in self.recorded.items()}

    @cached_property
    def hulls(self) -> "tuple[Hull | None, ...]":
        """Hull of each tier, of everything it measured; None while it has no formation energy.

        A hull is a function of the measurements known now: a new one may lower it.
        """
        # Most campaigns' states are read without a hull, and numpy with it.
        from alloop.loop.state.hull import hull_of_answers  # noqa: PLC0415

        elements, formulas = tuple(self.spec.space.elements), self.formulas
        return tuple(
            hull_of_answers(elements, self._energies(tier), formulas)
            for tier in range(len(self.spec.tiers))
        )

    def _energies(self, tier: int) -> Iterator[Measured]:
        """Yield a tier's answers, and what was brought of the very same oracle: its energies are
        against the same references."""
        yield from self._answered(self.recorded, tier)
        own = self.fingerprints[tier]
        yield from (m for m in self._brought if m.tier == tier and m.fingerprint == own)

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
        """Formula of each chosen or brought candidate, by candidate id."""
        formulas = {label.candidate: label.formula for b in self.brought for label in b.labels}
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

    @cached_property
    def _brought(self) -> tuple[Measured, ...]:
        return brought_measurements(self)

    @cached_property
    def brought_measurements(self) -> tuple[Measured, ...]:
        """What was brought of the tiers' own values, in the form of measurements that cost nothing;
        a partial one where some are missing."""
        if ENERGY_ABOVE_HULL not in self.spec.property_names():
            return self._brought
        from alloop.loop.state.hull import with_energy_above_hull  # noqa: PLC0415 (numpy)

        return tuple(with_energy_above_hull(m, self.hulls) for m in self._brought)

    def known_answers(self, tier: int = 0) -> tuple[Measured, ...]:
        """Return the ``answers`` of a tier, then what was brought in place of its measurements:
        what is learnt from and moved from. What was measured here stands over what was brought."""
        if tier not in self._known_answers:
            self._known_answers[tier] = (*self.answers(tier), *brought_answers(self, tier))
        return self._known_answers[tier]

    @cached_property
    def _known_answers(self) -> dict[int, tuple[Measured, ...]]:
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
        of the first labels; until these are complete, those of what is known of tier 0 so far."""
        if self.reference is not None or len(self.spec.objectives) == 1:
            return Utility.of(self.spec, taken=self.reference)
        return Utility.of(self.spec, [m.properties for m in self.known_answers()])

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
        taken_back = (r.measured for r in self.retractions)
        for m in chain[Paid](
            self.recorded.values(), taken_back, chain.from_iterable(self.attempts.values())
        ):
            paid[m.tier].append(m)
        return tuple(_total(each) for each in paid)

    def tier_budgets(self, tier: int) -> tuple[TierBudget, ...]:
        """Return a tier's budgets of core-hours and money, one for each limit."""
        core_hours, money = self.spec.budget.limits(tier)
        if core_hours is None and money is None:
            return ()
        made = [*self.recorded.values(), *(r.measured for r in self.retractions)]
        n_paid = sum(m.tier == tier for m in made)
        # Counted as if all had been measured for this campaign: what it decides must not depend
        # on what others happened to have measured before.
        reused = (m for m in made if m.tier == tier and m.reuse is not None)
        worth = sum((m.worth for m in reused), self.cost(tier))
        return tier_budgets(worth, n_paid, core_hours=core_hours, money=money)

    def remaining(self, tier: int = 0) -> int:
        """Return the number of measurements left in a tier's budget, pending ones counted as made:
        by number, and by what they have cost so far where core-hours or money are limited."""
        asked = sum(
            e.tier == tier and e.stage is not Stage.UNREQUESTED and not self.is_withdrawn(e)
            for e in self.evaluations
        )
        asked += sum(r.event.again and r.measured.tier == tier for r in self.retractions)
        affordable = [
            n
            for tier_budget in self.tier_budgets(tier)
            if (n := tier_budget.affordable) is not None
        ]
        return min(self.spec.budget.measurements[tier] - asked, *affordable, sys.maxsize)

    @property
    def batch_size(self) -> int:
        """Number of candidates that a round is to choose for the first tier, within its budget."""
        size = self.by_hand.asked_size or self.spec.acquisition.batch
        return max(min(size, self.remaining()), 0)

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
        self._by_hand = HandDecisions()
        self._self_tests: dict[int, SelfTested] = {}
        self._brought: list[LabelsBrought] = []
        self._wall, self._sessions = 0.0, 0
        self._closed: str | None = None
        self._paused: str | None = None
        self._reference: ReferenceTaken | None = None
        self._began: str = ""
        self._session_began: datetime | None = None
        self._latest: datetime | None = None
        self._required: dict[int, tuple[str, ...]] = {}
        self._proposed: set[str] = set()
        self._standing = Standing()

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
            self._standing.open(self._spec, entry)
        if self._opened is None or self._spec is None:
            raise LedgerError("the first event does not open a campaign", where=str(entry.seq))
        tier = getattr(event, "tier", 0)
        if not 0 <= tier < len(self._opened.fingerprints):
            raise ValueError(f"there is no tier {tier}")
        match event:
            case Measured():  # nearly all are
                self._require_whole(self._spec, event)
                self._measured(event, entry.seq)
            case SessionOpened():
                self._end_session(self._latest)
                self._session_began, self._sessions = time, self._sessions + 1
                self._paused = None
                if event.scheduling is not None:
                    self._spec = rescheduled_spec(self._spec, event.scheduling, self._opened)
            case LabelsBrought():
                if not 0 <= (event.value_of or 0) < len(self._opened.fingerprints):
                    raise ValueError(f"there is no tier {event.value_of}")
                self._bring(event, entry.seq)
            case SpecChanged():
                self._amend(amended_spec(self._spec, event.changes, self._opened), entry)
            case Retracted():
                self._retract(event, entry.seq)
            case ReferenceTaken():
                self._reference = self._reference or event
                self._standing.reference_taken(entry.seq)
            case SelfTested():
                self._self_tests[event.tier] = event
            case ModelFitted():
                self._models[event.round] = event
                self._standing.fitted(event.round, entry.seq)
            case Proposed():
                self._propose(event, self._opened.fingerprints)
            case BatchAsked() | CandidatesAdded() | Vetoed():
                self._by_hand = self._by_hand.after(event)
            case AttemptFailed():
                earlier = self._attempts.get(event.evaluation, ())
                self._attempts[event.evaluation] = (*earlier, event)
            case CampaignClosed():
                self._closed = event.reason
            case SessionClosed():
                self._end_session(time)
                self._paused = event.reason if event.is_pause else None
        self._latest = time

    def _propose(self, event: Proposed, fingerprints: Sequence[str]) -> None:
        self._proposals.append(event)
        self._proposed.update(d["candidate"] for d in outline_of(event) if d["chosen"])
        self._evaluations += _asked_by(event, fingerprints)
        self._by_hand = self._by_hand.after_proposal(event)

    def _bring(self, event: LabelsBrought, seq: int) -> None:
        """Take in labels that were brought."""
        self._end_session(self._latest)
        self._brought.append(event)
        self._standing.brought(event, seq)

    def _end_session(self, time: datetime | None) -> None:
        """Count the wall time of the session under way, if there is one: what people do by hand is
        no session's, and a session that was killed ended with its last event."""
        self._wall += _span(self._session_began, time)
        self._session_began = None

    def _amend(self, spec: CampaignSpec, entry: LedgerEntry) -> None:
        """Go on under other terms."""
        assert self._spec is not None  # a campaign is opened before it is changed
        if spec.objectives != self._spec.objectives:
            self._reference = None  # of other objectives it says nothing
        self._end_session(self._latest)
        self._standing.amend(self._spec, spec, entry, len(self._proposals))
        self._spec, self._closed = spec, None
        self._required.clear()

    def _retract(self, event: Retracted, seq: int) -> None:
        """Take measurements back, and labels that were brought."""
        self._end_session(self._latest)
        for id in event.evaluations:
            m = self._recorded.pop(id, None) or self._partial.pop(id, None)
            if m is None:
                raise ValueError(f"evaluation {id} has no measurement to take back")
            if self._standing.retract(m, event, seq):
                self._reference = None
        without = without_values(self._brought, event.brought)
        if self._standing.retract_brought(self._brought, event, seq):
            self._reference = None
        self._brought = without
        self._closed = None

    def _measured(self, event: Measured, seq: int) -> None:
        self._standing.measured(event.evaluation, seq)
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
            by_hand=self._by_hand,
            self_tests=dict(self._self_tests),
            brought=tuple(self._brought),
            wall_seconds=self._wall + _span(self._session_began, self._latest),
            n_sessions=self._sessions,
            closed=self._closed,
            paused=self._paused,
            reference=self._reference,
            start_checkpoint=self._opened.start_checkpoint,
            versions=self._opened.versions,
            began=self._began,
            latest="" if self._latest is None else self._latest.isoformat(),
            terms=tuple(self._standing.terms),
            retractions=tuple(self._standing.retractions),
            retracted_labels=tuple(self._standing.retracted_labels),
            outdated_models=frozenset(self._standing.outdated_models),
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
