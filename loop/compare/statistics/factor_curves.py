"""Acceleration factor against the target, and enhancement factor against the number of labels."""

from dataclasses import dataclass

import numpy as np

from alloop.loop.compare.statistics.curves import Band, common_length
from alloop.loop.compare.statistics.factors import Acceleration, acceleration, enhancement_of_best
from alloop.loop.compare.statistics.group_progress import GroupProgress

MOST_TARGETS = 100
"""Number of targets that a curve is thinned to."""


@dataclass(frozen=True)
class FactorCurves:
    """Factors of a group over a baseline, over all targets and numbers of labels."""

    name: str
    baseline: str
    accelerations: tuple[Acceleration, ...]
    """Acceleration at each value that the middle of either reaches on its way, ascending."""
    enhancements: tuple[float | None, ...]
    """Enhancement factor by best values after 1, 2, … labels, as far as both have runs."""


def factor_curves(group: GroupProgress, baseline: GroupProgress, band: Band) -> FactorCurves:
    """Return the factors of a group over a baseline."""
    middles = np.concatenate([group.band.middle, baseline.band.middle])
    targets = np.unique(middles[np.isfinite(middles)])
    if len(targets) > MOST_TARGETS:
        targets = targets[np.linspace(0, len(targets) - 1, MOST_TARGETS).round().astype(int)]
    n = common_length([*group.curves, *baseline.curves])
    return FactorCurves(
        group.name,
        baseline.name,
        tuple(acceleration(group.curves, baseline.curves, float(t)) for t in targets),
        tuple(enhancement_of_best(group.at(i), baseline.at(i), band) for i in range(1, n + 1)),
    )
