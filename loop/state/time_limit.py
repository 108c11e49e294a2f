"""The limit on wall time: how much of it is left, what promotion needs of it, and what is undone.

Time ends no campaign. It stops a session between two measurements, after the best so far were
promoted in the time that is kept for that, and the run goes on with more of it.
"""

import math
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum, auto

from alloop.loop.record.events import Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.promotion_size import missing_promotions
from alloop.oracles.options import AsksPeople

MOST_RESERVED = 0.5
"""Largest share of the limit that is kept for promotion: a time limit declared for one measurement
is usually far more than a measurement takes, and the search is to get its share."""


class TimeLeft(Enum):
    """What the wall time still allows."""

    ENOUGH = auto()
    FOR_PROMOTION = auto()
    """No more than what promotion to the higher tiers needs."""
    NONE = auto()


def time_left(state: CampaignState, limit: timedelta | None, elapsed: float) -> TimeLeft:
    """Return what may still be begun.

    Args:
        state: of the campaign.
        limit: on the wall time of all sessions; None for no limit.
        elapsed: wall time of all sessions so far, s.
    """
    if limit is None:
        return TimeLeft.ENOUGH
    left = limit.total_seconds() - elapsed
    if left <= 0:
        return TimeLeft.NONE
    return TimeLeft.ENOUGH if left > promotion_reserve(state, limit) else TimeLeft.FOR_PROMOTION


def promotion_reserve(state: CampaignState, limit: timedelta) -> float:
    """Return the wall time to keep for promotions that are still due, s.

    A measurement of a tier takes what it took on average so far; before the first, the time limit
    that the tier declares for one. At most ``MOST_RESERVED`` of the campaign's limit is kept.
    """
    most = MOST_RESERVED * limit.total_seconds()
    seconds = 0.0
    for tier, options in enumerate(state.spec.tiers):
        if tier == 0 or isinstance(options, AsksPeople):
            continue  # people take their time, and the campaign waits for them
        pending = sum(e.tier == tier for e in state.pending)
        n = pending + missing_promotions(state, _round(state), tier)
        at_once = min(state.spec.execution.workers, options.workers or n or 1)
        seconds += math.ceil(n / at_once) * _seconds_each(state, tier, most)
    return min(seconds, most)


def _seconds_each(state: CampaignState, tier: int, most: float) -> float:
    # Labels of other campaigns count with what they took then: time is kept for those to come.
    taken = [m.worth.wall_seconds for m in state.recorded.values() if m.tier == tier]
    if taken:
        return sum(taken) / len(taken)
    timeout = state.spec.tiers[tier].timeout
    return most if timeout is None else timeout


def left_undone(state: CampaignState) -> str:
    """Return what a campaign would still do, in plain words: rounds, measurements, promotions."""
    return ", ".join(_undone(state)) or "nothing but to close it"


def _undone(state: CampaignState) -> Iterator[str]:
    n_rounds, begun = state.spec.budget.rounds, _round(state)
    if begun and any(e.tier == 0 and e.round == begun for e in state.pending):
        yield f"the rest of round {begun}"
    if rest := n_rounds - begun:
        yield f"{rest} of {n_rounds} rounds" if begun else _plural(rest, "round")
    for tier, options in enumerate(state.spec.tiers):
        if pending := sum(e.tier == tier for e in state.pending):
            yield f"{_plural(pending, 'measurement')} by tier {tier} ({options.kind})"
        if tier and (due := missing_promotions(state, begun, tier)):
            yield f"{due} of {options.promote} promotions to tier {tier} ({options.kind})"


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _round(state: CampaignState) -> int:
    """Return the round that the search is in."""
    searched = (p.round for p in reversed(state.requested) if p.stage is not Stage.PROMOTION)
    return next(searched, 0)
