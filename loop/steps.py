"""Steps of a campaign: the next unfinished one follows from its state.

The order stands here once: rounds of fitting, acquisition and local search, then promotion to
the higher tiers. Whatever was chosen is measured before anything else is decided; people may
be given longer, if their tier has a quorum.
"""

from dataclasses import dataclass

from alloop.loop.record.events import Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState, Evaluation
from alloop.loop.state.promotion_size import batch_size
from alloop.oracles.options import AsksPeople


@dataclass(frozen=True)
class Measure:
    """Step: measure these evaluations."""

    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True)
class Wait:
    """Step: wait for people to answer these; nothing else can be done meanwhile."""

    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True)
class Fit:
    """Step: train the model of a round."""

    round: int


@dataclass(frozen=True)
class Propose:
    """Step: decide what to measure next."""

    round: int
    stage: Stage
    iteration: int = 0
    tier: int = 0


@dataclass(frozen=True)
class Close:
    """Step: end the campaign."""

    reason: str


Step = Measure | Wait | Fit | Propose | Close


def next_step(state: CampaignState) -> Step | None:
    """Return the next unfinished step; None when the campaign is closed."""
    if state.closed is not None:
        return None
    by_people = frozenset(
        tier for tier, options in enumerate(state.spec.tiers) if isinstance(options, AsksPeople)
    )
    if by_machine := tuple(e for e in state.pending if e.tier not in by_people):
        return Measure(by_machine)
    if not state.requested:
        return Propose(0, Stage.INITIAL)
    if not _has_quorum(state, state.requested[-1]):
        return Wait(state.pending)
    step = _next(state)
    is_last = isinstance(step, Close) or (
        isinstance(step, Propose) and step.stage is Stage.PROMOTION
    )
    # The best may be among those that are late.
    return Wait(state.pending) if state.pending and is_last else step


def _has_quorum(state: CampaignState, last: Proposed) -> bool:
    """Return whether enough people have answered what was proposed last."""
    options = state.spec.tiers[last.tier]
    if not isinstance(options, AsksPeople):
        return True
    asked = {decision.candidate for decision in last.decisions if decision.chosen}
    missing = sum(e.tier == last.tier and e.candidate in asked for e in state.pending)
    return len(asked) - missing >= options.n_required(len(asked))


def _next(state: CampaignState) -> Step:
    if not state.answers():
        is_doubted = any(m.doubts for m in state.recorded.values())
        failed = "failed or is in doubt" if is_doubted else "failed"
        return Close(f"no labels: every initial measurement {failed}")
    return _after(state, state.requested[-1])


def _after(state: CampaignState, last: Proposed) -> Step:
    search = state.spec.augmentation
    done = last.iteration if last.stage is Stage.AUGMENTATION else 0
    if (
        search is not None
        and last.stage in (Stage.ACQUISITION, Stage.AUGMENTATION)
        and done < search.iterations
        and state.remaining() > 0
    ):
        return Propose(last.round, Stage.AUGMENTATION, iteration=done + 1)
    return _promotion(state, last) or _begin(state, last.round + 1)


def _promotion(state: CampaignState, last: Proposed) -> Step | None:
    """Return the next promotion to a higher tier before another round begins; None if none is
    due. The higher tiers have few measurements; unless every round is to promote, the best of
    the whole search get them.
    """
    is_over = _ending(state, last.round + 1) is not None
    if not is_over and (state.spec.promotion.when == "end" or last.stage is Stage.INITIAL):
        return None
    first = 1
    if last.stage is Stage.PROMOTION:
        # A tier that pays for one after the other goes on; one that found nobody does not.
        found_some = any(decision.chosen for decision in last.decisions)
        if found_some and batch_size(state, last.round, last.tier):
            return Propose(last.round, last.stage, last.iteration + 1, last.tier)
        first = last.tier + 1
    for tier in range(first, len(state.spec.tiers)):
        if batch_size(state, last.round, tier):
            return Propose(last.round, Stage.PROMOTION, tier=tier)
    return None


def _begin(state: CampaignState, round: int) -> Step:
    if (reason := _ending(state, round)) is not None:
        return Close("; ".join([reason, *_exhausted(state)]))
    if not state.spec.acquisition.uses_model or round in state.models:
        return Propose(round, Stage.ACQUISITION)
    return Fit(round)


def _ending(state: CampaignState, round: int) -> str | None:
    """Return why no further round begins, or None if one does."""
    if round > state.spec.budget.rounds:
        return f"all {state.spec.budget.rounds} rounds are done"
    if state.spec.acquisition.candidates == "table" and not _found_rows(state):
        return "every row of the table is measured"
    return state.exhaustion(0)


def _found_rows(state: CampaignState) -> bool:
    """Return whether the last look into the table found anything to measure."""
    last = next(p for p in reversed(state.requested) if p.tier == 0)
    return any(decision.chosen for decision in last.decisions)


def _exhausted(state: CampaignState) -> list[str]:
    """Return which higher tiers had no core-hours or money left to promote any more."""
    return [
        f"tier {tier}: {reason}"
        for tier in range(1, len(state.spec.tiers))
        for tier_budget in state.tier_budgets(tier)
        if (reason := tier_budget.exhaustion) is not None
    ]
