"""What a campaign does next, read off its state.

The order stands here once: rounds of fitting, acquisition and local search, then promotion to
the dearer tiers. Whatever was chosen is measured before anything else is decided; people may
be given longer, if their tier has a quorum.
"""

import math
from dataclasses import dataclass

from loop.records import Proposed, Stage
from loop.state import CampaignState, Evaluation
from oracles.person_options import PersonOptions

ROUNDING = 1e-9
"""0.7 × 10 is a little more than 7 for nobody but the machine."""


@dataclass(frozen=True)
class Measure:
    """Have these evaluations answered."""

    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True)
class Wait:
    """Let people answer these; nothing else can be done meanwhile."""

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


Step = Measure | Wait | Fit | Propose | Close


def next_step(state: CampaignState) -> Step | None:
    """Return the next unfinished step; None when the campaign is closed."""
    if state.closed is not None:
        return None
    by_people = frozenset(
        tier for tier, options in enumerate(state.spec.tiers) if isinstance(options, PersonOptions)
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
    if not isinstance(options, PersonOptions):
        return True
    asked = {decision.candidate for decision in last.decisions if decision.chosen}
    missing = sum(e.tier == last.tier and e.candidate in asked for e in state.pending)
    return len(asked) - missing >= math.ceil(options.quorum * len(asked) - ROUNDING)


def _next(state: CampaignState) -> Step:
    if not state.answers():
        return Close("no labels: every initial measurement failed")
    return _after(state, state.requested[-1])


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
