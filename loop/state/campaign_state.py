"""The state of a campaign: everything that follows from its events."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from alloop.campaigns.spec import CampaignSpec
from alloop.canonical import sha256
from alloop.loop.record.by_hand.brought import BroughtLabel, LabelsBrought
from alloop.loop.record.events import (
    AttemptFailed,
    Decision,
    Measured,
    ModelFitted,
    Paid,
    Proposed,
    ReferenceTaken,
    SelfTested,
    Stage,
)
from alloop.loop.record.stored_events import Moments, outline_of
from alloop.loop.state.brought import brought_answers, brought_measurements, labels_in
from alloop.loop.state.budgets import TierBudget, tier_budgets
from alloop.loop.state.by_hand.decisions import HandDecisions
from alloop.loop.state.choices import Choices
from alloop.loop.state.folding.terms import RetractedLabel, Retraction, Terms
from alloop.loop.state.ranking.utility import Utility
from alloop.oracles.base import Cost, Status
from alloop.oracles.options import AsksPeople
from alloop.properties import ENERGY_ABOVE_HULL

if TYPE_CHECKING:
    from alloop.loop.state.calibration import Calibration, PredictedTrial
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
    session_began: str = ""
    """Time at which the session began that has not ended, as far as the ledger says; empty where
    the last one ended in order, or something was recorded by hand since."""
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

    @property
    def last_round(self) -> int:
        """Round of the last proposal; 0 before the first."""
        return self.proposals[-1].round if self.proposals else 0

    @cached_property
    def tiers_of_people(self) -> tuple[int, ...]:
        """Tiers that people measure, the lower first."""
        return tuple(
            tier for tier, options in enumerate(self.spec.tiers) if isinstance(options, AsksPeople)
        )

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
    def predicted(self) -> "Mapping[str, list[PredictedTrial]]":
        """Predictions that tier 0 has answered, in their order, by property."""
        from alloop.loop.state.calibration import predictions  # noqa: PLC0415 (it knows this module)

        return predictions(self)

    @cached_property
    def calibrations(self) -> "Mapping[str, Calibration]":
        """Calibration of all rounds but the first, by property."""
        from alloop.loop.state.calibration import latest_calibrations  # noqa: PLC0415 (it knows this module)

        return latest_calibrations(self)

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

    def measured_by(self, tier: int) -> Sequence[Measured]:
        """Return a tier's measurements, failures too, in the order in which they came."""
        return self._measured_by[tier]

    @cached_property
    def _measured_by(self) -> tuple[list[Measured], ...]:
        found: tuple[list[Measured], ...] = tuple([] for _ in self.fingerprints)
        for m in self.measured.values():
            found[m.tier].append(m)
        return found

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

    @cached_property
    def brought_materials(self) -> Mapping[str, BroughtLabel]:
        """Each material that was brought, by candidate: as it came first."""
        found: dict[str, BroughtLabel] = {}
        for _, label in labels_in(self.brought):
            found.setdefault(label.candidate, label)
        return found

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
            place = self.utility.best([m.properties for m in answers])
            self._bests[tier, round] = None if place is None else answers[place]
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


def _total(paid: Iterable[Paid]) -> Cost:
    """Return the sum of costs, without a record for each partial one."""
    calls, wall_seconds, core_hours, money = 0, 0.0, 0.0, 0.0
    for m in paid:
        calls += m.calls
        wall_seconds += m.wall_seconds
        core_hours += m.core_hours
        money += m.money
    return Cost(calls, wall_seconds, core_hours, money)
