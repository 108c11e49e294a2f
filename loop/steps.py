"""Steps of a campaign: the next unfinished one follows from its state.

The order stands here once: rounds of fitting, acquisition and local search, then promotion to
the higher tiers. Whatever was chosen is measured before anything else is decided; people may
be given longer, if their tier has a quorum. When the wall time runs out, what is left of it goes to
promotion, and the session pauses.
"""

from collections import Counter
from dataclasses import dataclass

from alloop.loop.record.events import Proposed, Stage
from alloop.loop.state.by_hand.decisions import BATCHES, initial_missing, initial_wanted
from alloop.loop.state.campaign_state import CampaignState, Evaluation
from alloop.loop.state.promotion_size import batch_size
from alloop.loop.state.stopping import stopping_reason
from alloop.loop.state.time_limit import TimeLeft, left_undone
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
class TakeReference:
    """Step: take reference point and scales of several objectives from the first labels."""


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


@dataclass(frozen=True)
class Pause:
    """Step: end the session for want of time; with more of it the campaign goes on."""

    undone: str
    """What is left undone, in plain words."""


FEWEST_LABELS = 2
"""Number of labels without which no surrogate can be fitted."""

Step = Measure | Wait | TakeReference | Fit | Propose | Close | Pause


def next_step(state: CampaignState, time: TimeLeft = TimeLeft.ENOUGH) -> Step | None:
    """Return the next unfinished step; None when the campaign is closed.

    Args:
        state: of the campaign.
        time: what the limit on wall time still allows to begin.
    """
    if state.closed is not None:
        return None
    step = _step(state)
    if time is TimeLeft.ENOUGH or isinstance(step, Close | Wait):
        return step
    promotion = _promotion_in_time(state, step) if time is TimeLeft.FOR_PROMOTION else None
    return promotion or Pause(left_undone(state))


def latest_round(state: CampaignState) -> int:
    """Return the round that was begun last; 0 before the first."""
    begun = (p.round for p in state.requested)
    return max((*begun, *state.models), default=0)


def begins_round_after(step: Step | None, last: int | None) -> bool:
    """Return whether a step is the first of a round that comes after the last wanted one."""
    if last is None or not isinstance(step, Fit | Propose):
        return False
    return step.round > last


def chooses_batch(step: Step, state: CampaignState) -> bool:
    """Return whether a step is, or prepares, the choice of a batch for the first tier."""
    if isinstance(step, Propose) and step.stage is Stage.INITIAL:
        return initial_missing(state) > 0
    return isinstance(step, Fit) or (isinstance(step, Propose) and step.stage in BATCHES)


def _promotion_in_time(state: CampaignState, step: Step) -> Step | None:
    """Return the next step of promotion where there is no time for another round: the best so far
    are promoted, although the search is not over."""
    if isinstance(step, Measure):
        if promoted := tuple(e for e in step.evaluations if e.tier):
            return Measure(promoted)
    elif isinstance(step, Propose) and step.stage is Stage.PROMOTION:
        return step
    if not state.requested or not state.answers():
        return None
    return _next_promotion(state, state.requested[-1])


def _step(state: CampaignState) -> Step:
    by_people = state.tiers_of_people
    if by_machine := tuple(e for e in state.pending if e.tier not in by_people):
        return Measure(by_machine)
    if not state.requested or (not state.answers() and _may_look_again(state)):
        return Propose(0, Stage.INITIAL)
    if not _has_quorum(state, state.requested[-1]):
        return Wait(state.pending)
    if initial_missing(state):
        return Propose(0, Stage.INITIAL, iteration=len(state.requested))
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
    vetoed = state.by_hand.vetoes
    asked = {d.candidate for d in last.decisions if d.chosen and d.candidate not in vetoed}
    missing = sum(e.tier == last.tier and e.candidate in asked for e in state.pending)
    return len(asked) - missing >= options.n_required(len(asked))


def _next(state: CampaignState) -> Step:
    if not state.known_answers():
        is_doubted = any(m.doubts for m in state.recorded.values())
        failed = "failed or is in doubt" if is_doubted else "failed"
        found = f"no labels: every initial measurement {failed}"
        return Close(found if _found_some(state) else _nothing_allowed(state))
    acquisition = state.spec.acquisition
    learns = acquisition.uses_model or acquisition.searches
    if learns and len(state.known_answers()) < FEWEST_LABELS:
        return Close("one label is too few to learn from: every other initial measurement failed")
    if len(state.spec.objectives) > 1 and state.reference is None:
        return TakeReference()
    return _after(state, state.requested[-1])


def _last_of_search(state: CampaignState) -> Proposed:
    """Return the last proposal that was not a promotion: promotions may come in the middle of a
    round, where the time ran out, and the round goes on after them."""
    return next(p for p in reversed(state.requested) if p.stage is not Stage.PROMOTION)


def _after(state: CampaignState, last: Proposed) -> Step:
    search, latest = state.spec.augmentation, _last_of_search(state)
    done = latest.iteration if latest.stage is Stage.AUGMENTATION else 0
    if (
        search is not None
        and latest.stage in (Stage.ACQUISITION, Stage.AUGMENTATION)
        and done < search.iterations
        and state.remaining() > 0
    ):
        return Propose(latest.round, Stage.AUGMENTATION, iteration=done + 1)
    return _promotion(state, last) or _begin(state, latest.round + 1)


def _promotion(state: CampaignState, last: Proposed) -> Step | None:
    """Return the next promotion to a higher tier before another round begins; None if none is
    due. The higher tiers have few measurements; unless every round is to promote, the best of
    the whole search get them.
    """
    is_over = _ending(state, last.round + 1) is not None
    if not is_over and (state.spec.promotion.when == "end" or last.stage is Stage.INITIAL):
        return None
    return _next_promotion(state, last)


def _next_promotion(state: CampaignState, last: Proposed) -> Propose | None:
    """Return the next promotion to a tier that still has measurements for it."""
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
    fitted = round in state.models and round not in state.outdated_models
    if fitted or not state.spec.acquisition.uses_model:
        return Propose(round, Stage.ACQUISITION)
    return Fit(round)


def _ending(state: CampaignState, round: int) -> str | None:
    """Return why no further round begins, or None if one does."""
    if state.answers() and (reason := stopping_reason(state, round - 1)) is not None:
        return reason
    if round > state.spec.budget.rounds:
        return f"all {state.spec.budget.rounds} rounds are done"
    found = _found_some(state) or _may_look_again(state)
    if state.spec.acquisition.candidates == "table" and not found:
        return "every row of the table is measured"
    return state.exhaustion(0) or (None if found else "nothing new is left to measure in the space")


_LOOKS = (Stage.INITIAL, Stage.ACQUISITION)
"""Stages of the looks into the space or the table."""


def _found_some(state: CampaignState) -> bool:
    """Return whether the last look into the space or the table found anything to measure."""
    last = next(p for p in reversed(state.requested) if p.stage in _LOOKS)
    is_none_wanted = last.stage is Stage.INITIAL and not initial_wanted(state)
    return is_none_wanted or any(decision.chosen for decision in last.decisions)


def _may_look_again(state: CampaignState) -> bool:
    """Return whether the last look found nothing, and the terms have changed since: another may
    find something in a wider space."""
    if len(state.terms) < 2 or _found_some(state):
        return False
    since = state.proposals[state.terms[-1].n_proposals :]
    return not any(p.stage in _LOOKS for p in since)


def _nothing_allowed(state: CampaignState) -> str:
    """Return why nothing was proposed, by the rule that refused the most."""
    refused = [d for d in state.requested[-1].decisions if d.rule is not None]
    rules = Counter(decision.rule for decision in refused)
    if not rules:
        return "nothing to measure: no candidate could be made"
    (rule, n), *_ = rules.most_common(1)
    example = next(decision.reason for decision in refused if decision.rule == rule)
    return (
        f"nothing to measure: none of {len(refused)} candidates is allowed; {n} were refused by "
        f"{rule}, for example: {example}"
    )


def _exhausted(state: CampaignState) -> list[str]:
    """Return which higher tiers had no core-hours or money left to promote any more."""
    return [
        f"tier {tier}: {reason}"
        for tier in range(1, len(state.spec.tiers))
        for tier_budget in state.tier_budgets(tier)
        if (reason := tier_budget.exhaustion) is not None
    ]
