"""What a campaign does next, read off its state.

The order stands here once: rounds of fitting, acquisition and local search, then promotion to
the dearer tiers. Whatever was chosen is measured before anything else is decided.
"""

from dataclasses import dataclass

from loop.records import Proposed, Stage
from loop.state import CampaignState, Evaluation


@dataclass(frozen=True)
class Measure:
    """Have these evaluations answered."""

    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True)
class Fit:
    """Train the model of a round."""

    round: int


@dataclass(frozen=True)
class Propose:
    """Decide what to measure next."""

    round: int
    stage: Stage
    iteration: int = 0
    tier: int = 0


@dataclass(frozen=True)
class Close:
    """End the campaign."""

    reason: str


Step = Measure | Fit | Propose | Close


def next_step(state: CampaignState) -> Step | None:
    """Return the next unfinished step; None when the campaign is closed."""
    if state.closed is not None:
        return None
    if state.pending:
        return Measure(state.pending)
    if not state.proposals:
        return Propose(0, Stage.INITIAL)
    if not state.answers():
        return Close("no labels: every initial measurement failed")
    return _after(state, state.proposals[-1])


def _after(state: CampaignState, last: Proposed) -> Step:
    if last.stage is Stage.PROMOTION:
        if last.tier + 1 < len(state.spec.tiers):
            return Propose(last.round, Stage.PROMOTION, tier=last.tier + 1)
        return Close(_ending(state, last.round + 1) or "everything promoted is measured")
    search = state.spec.augmentation
    done = last.iteration if last.stage is Stage.AUGMENTATION else 0
    if (
        search is not None
        and last.stage is not Stage.INITIAL
        and done < search.iterations
        and state.remaining() > 0
    ):
        return Propose(last.round, Stage.AUGMENTATION, iteration=done + 1)
    return _begin(state, last.round + 1)


def _begin(state: CampaignState, round: int) -> Step:
    if (reason := _ending(state, round)) is not None:
        # The dearer tiers have few measurements; the best of the whole search gets them.
        if len(state.spec.tiers) > 1:
            return Propose(round - 1, Stage.PROMOTION, tier=1)
        return Close(reason)
    if state.spec.acquisition.strategy == "random" or round in state.models:
        return Propose(round, Stage.ACQUISITION)
    return Fit(round)


def _ending(state: CampaignState, round: int) -> str | None:
    """Return why no further round begins, or None if one does."""
    if round > state.spec.budget.rounds:
        return f"all {state.spec.budget.rounds} rounds are done"
    if state.remaining() <= 0:
        return f"all {state.spec.budget.measurements[0]} measurements are spent"
    return None
