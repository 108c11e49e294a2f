"""What depended on measurements: what would have come out otherwise without them.

Two folds of one ledger go side by side, one of which has the measurements taken back as soon as
they come. Where the two give a step different things to work on, its result depended on them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alloop.loop.choose.known_values import known_values
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.strategies.dispatch import propose_stage
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.by_hand.brought import BroughtLabel, LabelsBrought
from alloop.loop.record.by_hand.changes import Retracted
from alloop.loop.record.events import (
    CampaignClosed,
    LedgerEntry,
    Measured,
    ModelFitted,
    Proposed,
    ReferenceTaken,
    Stage,
)
from alloop.loop.record.stored_events import outline_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.fold import Fold
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.loop.state.ranking.reference import reference_from
from alloop.loop.steps import Close, next_step


@dataclass(frozen=True)
class Conclusion:
    """Conclusion that a campaign drew with measurements, and would not have drawn without."""

    kind: str
    """``best``, ``front``, ``reference`` or ``end``."""
    drawn: str
    """What was concluded; of a best or a front, ids of candidates."""
    without: str
    """What would have been concluded without; empty for nothing."""
    tier: int = 0
    seq: int | None = None
    """Entry that holds it; None for what is only derived."""


@dataclass(frozen=True)
class Impact:
    """What depended on measurements, by entry of the ledger."""

    measured: tuple[Measured, ...]
    """The measurements; of corrected ones, the first values."""
    brought: tuple[BroughtLabel, ...]
    """The labels that were brought."""
    retracted: bool
    """Whether they were taken back; what is concluded is then what was concluded before."""
    models: tuple[tuple[int, ModelFitted], ...]
    """Models that learnt from them."""
    proposals: tuple[tuple[int, Proposed], ...]
    """Decisions of the search that would have been others, or made with other expectations."""
    promotions: tuple[tuple[int, Proposed], ...]
    """Promotions likewise."""
    descendants: tuple[str, ...]
    """Candidates that were chosen and made from theirs, directly or by way of others."""
    higher_tiers: tuple[Measured, ...]
    """Measurements of the same candidates by higher tiers."""
    conclusions: tuple[Conclusion, ...]

    @property
    def seqs(self) -> frozenset[int]:
        """Entries that depended on them."""
        concluded = {each.seq for each in self.conclusions if each.seq is not None}
        return frozenset({seq for seq, _ in (*self.models, *self.proposals, *self.promotions)}) | (
            concluded
        )


def impact_of(
    entries: Sequence[LedgerEntry],
    evaluations: Iterable[str],
    store: ArtifactStore,
    *,
    brought: Iterable[str] = (),
) -> Impact:
    """Return what depended on the measurements of some evaluations.

    Args:
        entries: of the ledger.
        evaluations: that were measured, by id; those that were taken back meanwhile too.
        store: of the run's artifacts; an ``OverlayStore`` keeps it as it is.
        brought: candidates whose labels that were brought are looked at likewise.

    Raises:
        LedgerError: if an artifact that the ledger names is missing or was changed.
    """
    sides = _Sides(frozenset(evaluations), frozenset(brought), store)
    for entry in entries:
        sides.add(entry)
    return sides.impact()


@dataclass
class _Side:
    """One of the two folds, with what it has seen of the space."""

    fold: Fold = field(default_factory=Fold)
    seen: Seen = field(default_factory=Seen)

    def state(self) -> CampaignState:
        state = self.fold.state()
        assert state is not None  # a ledger begins with its campaign
        return state


class _Sides:
    """The ledger with the measurements and without, step by step."""

    def __init__(
        self, evaluations: frozenset[str], brought: frozenset[str], store: ArtifactStore
    ) -> None:
        self._evaluations, self._brought, self._store = evaluations, brought, store
        self._with, self._without = _Side(), _Side()
        self._measured: dict[str, Measured] = {}
        self._labels: list[BroughtLabel] = []
        self._come: set[str] = set()
        """Evaluations that were measured, and candidates that were brought."""
        self._retracted: set[str] = set()
        """Those of them that were taken back."""
        self._models: dict[int, tuple[int, ModelFitted]] = {}
        self._proposals: list[tuple[int, Proposed]] = []
        self._promotions: list[tuple[int, Proposed]] = []
        self._conclusions: list[Conclusion] = []
        self._derived: list[Conclusion] = []

    def add(self, entry: LedgerEntry) -> None:
        """Take in an entry; where measurements have come, after a look at what it rests on."""
        event = entry.event
        if self._come != self._retracted:
            match event:
                case ModelFitted():
                    self._look_at_model(entry.seq, event)
                case Proposed():
                    self._look_at_proposal(entry.seq, event)
                case ReferenceTaken():
                    self._look_at_reference(entry.seq, event)
                case CampaignClosed():
                    self._look_at_end(entry.seq, event)
                case Retracted() if self._named_in(event):
                    self._derived = list(self._differing_bests())
        self._with.fold.add(entry)
        for each in self._entries_without(entry):
            self._without.fold.add(each)

    def impact(self) -> Impact:
        """Return what was found."""
        is_retracted = self._come <= self._retracted
        state = self._with.state()
        candidates = {m.candidate for m in self._measured.values()} | self._brought
        made = [*state.recorded.values(), *(r.measured for r in state.retractions)]
        highest = {m.candidate: m.tier for m in self._measured.values()}
        return Impact(
            tuple(self._measured.values()),
            tuple(self._labels),
            is_retracted,
            tuple(self._models.values()),
            tuple(self._proposals),
            tuple(self._promotions),
            tuple(_descendants(state, candidates)),
            tuple(m for m in made if m.candidate in highest and m.tier > highest[m.candidate]),
            (*self._conclusions, *(self._derived if is_retracted else self._differing_bests())),
        )

    def _entries_without(self, entry: LedgerEntry) -> Iterator[LedgerEntry]:
        """Yield what the fold without the measurements takes in for an entry."""
        event, wanted = entry.event, self._brought - self._retracted
        match event:
            case Measured() if event.evaluation in self._evaluations - self._retracted:
                self._measured.setdefault(event.evaluation, event)
                self._come.add(event.evaluation)
                yield entry
                taken = Retracted(evaluations=(event.evaluation,), who="impact", why="impact")
                yield entry._replace(event=taken)
            case LabelsBrought():
                yield entry
                if labels := [b for b in event.labels if b.candidate in wanted and b.properties]:
                    self._labels += labels
                    ids = tuple(dict.fromkeys(label.candidate for label in labels))
                    self._come |= set(ids)
                    taken = Retracted(brought=ids, who="impact", why="impact")
                    yield entry._replace(event=taken)
            case Retracted():
                self._retracted |= self._named_in(event)
                measured = tuple(e for e in event.evaluations if e not in self._evaluations)
                brought = tuple(b for b in event.brought if b not in self._brought)
                if measured or brought:
                    others = {"evaluations": measured, "brought": brought}
                    yield entry._replace(event=event.model_copy(update=others))
            case _:
                yield entry

    def _named_in(self, event: Retracted) -> frozenset[str]:
        """Return what a retraction names of what is looked at."""
        return frozenset(
            (self._evaluations & set(event.evaluations)) | (self._brought & set(event.brought))
        )

    def _look_at_model(self, seq: int, event: ModelFitted) -> None:
        if self._known_otherwise():
            self._models[event.round] = (seq, event)

    def _look_at_proposal(self, seq: int, event: Proposed) -> None:
        if event.stage is Stage.PROMOTION:
            if self._comes_out_otherwise(event):
                self._promotions.append((seq, event))
        elif event.stage in (Stage.ACQUISITION, Stage.AUGMENTATION) and self._decided_otherwise(
            event
        ):
            self._proposals.append((seq, event))

    def _decided_otherwise(self, event: Proposed) -> bool:
        """Return whether a decision of the search would have been another without."""
        acquisition = self._with.state().spec.acquisition
        if event.stage is Stage.ACQUISITION and acquisition.searches:
            # A surrogate that is fitted to other values expects something else everywhere.
            return event.round in self._models or self._known_otherwise()
        if event.stage is Stage.ACQUISITION and acquisition.uses_model:
            return event.round in self._models
        return self._comes_out_otherwise(event)

    def _known_otherwise(self) -> bool:
        """Return whether other values are known without."""
        one, other = self._with.state(), self._without.state()
        return known_values(one) != known_values(other) or one.infeasible != other.infeasible

    def _comes_out_otherwise(self, event: Proposed) -> bool:
        """Return whether a proposal, made again with and without, differs."""
        one, other = (self._proposed(side, event) for side in (self._with, self._without))
        return one.decisions != other.decisions

    def _proposed(self, side: _Side, event: Proposed) -> Proposed:
        state = side.state()
        if event.stage is not Stage.PROMOTION:  # which makes nothing new
            side.seen.follow(state, self._store)
        return propose_stage(
            state,
            self._store,
            side.seen,
            stage=event.stage,
            round=event.round,
            iteration=event.iteration,
            tier=event.tier,
        )

    def _look_at_reference(self, seq: int, event: ReferenceTaken) -> None:
        one, other = (
            reference_from(state.spec, [m.properties for m in state.answers()])
            for state in (self._with.state(), self._without.state())
        )
        if one != other:
            drawn, without = (_values(each.reference) for each in (event, other))
            self._conclusions.append(Conclusion("reference", drawn, without, seq=seq))

    def _look_at_end(self, seq: int, event: CampaignClosed) -> None:
        step = next_step(self._without.state())
        without = step.reason if isinstance(step, Close) else ""
        if without != event.reason:
            self._conclusions.append(Conclusion("end", event.reason, without, seq=seq))

    def _differing_bests(self) -> Iterator[Conclusion]:
        """Yield the bests and fronts that differ now."""
        one, other = self._with.state(), self._without.state()
        for tier in range(len(one.fingerprints)):
            best, instead = one.best(tier), other.best(tier)
            drawn = "" if best is None else best.candidate
            without = "" if instead is None else instead.candidate
            if drawn != without:
                yield Conclusion("best", drawn, without, tier=tier)
        if one.utility.seeks_front:
            fronts = (
                " ".join(sorted(m.candidate for m in pareto_front(state).members))
                for state in (one, other)
            )
            drawn, without = fronts
            if drawn != without:
                yield Conclusion("front", drawn, without)


def _descendants(state: CampaignState, candidates: set[str]) -> Iterator[str]:
    """Yield the chosen candidates that were made from some candidates, in their order."""
    family = set(candidates)
    for proposal in state.proposals:
        if not any(d["chosen"] for d in outline_of(proposal)):
            continue
        for decision in proposal.decisions:
            parents = {decision.lineage.parent, decision.lineage.mate}
            if decision.chosen and decision.candidate not in family and parents & family:
                family.add(decision.candidate)
                yield decision.candidate


def _values(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in values.items())


def impact_to_json(impact: Impact) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "measurements": [m.model_dump(mode="json") for m in impact.measured],
        "brought": [label.model_dump(mode="json") for label in impact.brought],
        "retracted": impact.retracted,
        "models": [
            {"entry": seq, "round": m.round, "checkpoint": m.checkpoint} for seq, m in impact.models
        ],
        "proposals": [_proposal(seq, p) for seq, p in impact.proposals],
        "promotions": [_proposal(seq, p) for seq, p in impact.promotions],
        "descendants": list(impact.descendants),
        "higher_tiers": [m.model_dump(mode="json") for m in impact.higher_tiers],
        "conclusions": [vars(each) for each in impact.conclusions],
    }


def _proposal(seq: int, proposal: Proposed) -> dict[str, Any]:
    chosen = [d["candidate"] for d in outline_of(proposal) if d["chosen"]]
    return {
        "entry": seq,
        "round": proposal.round,
        "stage": proposal.stage.value,
        "iteration": proposal.iteration,
        "tier": proposal.tier,
        "chosen": chosen,
    }
