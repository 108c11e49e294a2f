"""What a campaign does next, read off its state.

The order of a round stands here once: fit, acquire, search locally, promote. Whatever was
chosen is measured before anything else is decided.
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
    if last.stage is Stage.INITIAL:
        return _begin(state, round=1)
    if last.stage is Stage.PROMOTION:
        if last.tier + 1 < len(state.spec.tiers):
            return Propose(last.round, Stage.PROMOTION, tier=last.tier + 1)
        return _begin(state, last.round + 1)
    search = state.spec.augmentation
    done = last.iteration if last.stage is Stage.AUGMENTATION else 0
    if search is not None and done < search.iterations and state.remaining() > 0:
        return Propose(last.round, Stage.AUGMENTATION, iteration=done + 1)
    if len(state.spec.tiers) > 1:
        return Propose(last.round, Stage.PROMOTION, tier=1)
    return _begin(state, last.round + 1)


def _begin(state: CampaignState, round: int) -> Step:
    if round > state.spec.budget.rounds:
        return Close(f"all {state.spec.budget.rounds} rounds are done")
    if state.remaining() <= 0:
        return Close(f"all {state.spec.budget.measurements[0]} measurements are spent")
    if state.spec.acquisition.strategy == "random" or round in state.models:
        return Propose(round, Stage.ACQUISITION)
    return Fit(round)
