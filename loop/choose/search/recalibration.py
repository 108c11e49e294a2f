"""Recalibration: surrogates are corrected by what their earlier predictions came to.

Intervals are widened or narrowed, and means shifted: of many candidates that are predicted to be
good those are chosen that are predicted too well.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alloop.loop.record.events import Stage
from alloop.loop.state.calibration import LEVELS, held_against
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.outliers import bounds_of

LEVEL = 0.8
QUANTILE = LEVELS[LEVEL]
"""Share of values that an interval is to hold, and its half-width in standard deviations."""
PRIOR_COUNT = 8
"""Number of predictions come true that the first intervals and means count for."""
MAX_ROUNDS = 4
"""Number of the latest rounds that intervals are corrected by; means, by half as many."""
NARROWEST, WIDEST = 0.5, 5.0
"""Bounds of the factor of standard deviations."""


@dataclass(frozen=True)
class Correction:
    """Correction of one property's predictions."""

    scale: float = 1.0
    """Factor of standard deviations."""
    shift: float = 0.0
    """Added to means, in the property's unit."""


@dataclass(frozen=True)
class _Outcome:
    """What came of one uncorrected prediction."""

    round: int
    error: float
    """Measured minus predicted."""
    std: float


def correction(state: CampaignState, property_name: str) -> Correction:
    """Return the correction that would have been right for the latest rounds.

    The factor is what would have made their ``LEVEL`` intervals hold that share of what was
    measured afterwards, the shift their mean error; ``PRIOR_COUNT`` predictions come true are added
    to both, so that few measurements say little.
    """
    outcomes = list(_outcomes(state, property_name))
    if not outcomes:
        return Correction()
    last = max(outcome.round for outcome in outcomes)
    recent = [o for o in outcomes if o.round > last - MAX_ROUNDS]
    ratios = [abs(o.error) / o.std for o in recent]
    kept = np.linspace(0.0, QUANTILE / LEVEL, PRIOR_COUNT)
    scale = float(np.quantile(np.concatenate([ratios, kept]), LEVEL)) / QUANTILE
    latest = [o.error for o in recent if o.round > last - MAX_ROUNDS // 2]
    shift = float(np.sum(latest)) / (len(latest) + PRIOR_COUNT)
    return Correction(float(np.clip(scale, NARROWEST, WIDEST)), shift)


def _outcomes(state: CampaignState, property_name: str) -> Iterator[_Outcome]:
    held = held_against(property_name)
    measured = {m.candidate: m.properties for m in state.answers()}
    known = [values[held] for values in measured.values() if held in values]
    low, high = bounds_of(known)  # an outlying label tells nothing of how wide intervals should be
    for proposal in state.proposals:
        if proposal.stage is not Stage.ACQUISITION:
            continue
        scale = float(proposal.notes.get(f"interval_scale_{property_name}", 1.0))
        shift = float(proposal.notes.get(f"mean_shift_{property_name}", 0.0))
        for decision in proposal.decisions:
            posterior = decision.posterior.get(held)
            values = measured.get(decision.candidate, {})
            if decision.chosen and posterior is not None and held in values:
                if not low <= values[held] <= high:
                    continue
                error = values[held] - (posterior.mean - shift)
                yield _Outcome(proposal.round, error, max(posterior.std / scale, 1e-12))
