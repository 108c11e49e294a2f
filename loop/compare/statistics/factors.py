"""Acceleration and enhancement factors of one strategy over a baseline.

Definitions of Rohr et al., Chem. Sci. 11, 2696 (2020), and of Liang et al., npj Comput. Mater. 7,
188 (2021): at a value, the acceleration factor AF is the number of labels that the baseline needs
to reach it over the number that the strategy needs; after n labels, the enhancement factor EF is
the strategy's measure of success over the baseline's. Their measure is the share of the best
materials that were found; the number of the best cancels in the ratio, so what is counted here are
labels at least as good as a target. Where values are on a ratio scale, the best value itself (or
the hypervolume) is a second measure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from alloop.loop.compare.statistics.curves import (
    NEVER,
    Band,
    Curve,
    common_length,
    labels_to_reach,
    middle_of,
)


@dataclass(frozen=True)
class Acceleration:
    """Labels that two strategies need to reach a target, and their ratio."""

    target: float
    """Target as a utility."""
    labels: float
    """Median number of labels over the strategy's runs; ``NEVER`` if half of them never do."""
    baseline_labels: float
    """Median number of labels over the baseline's runs."""
    reached: int
    """Number of the strategy's runs that reach it."""
    baseline_reached: int
    """Number of the baseline's runs that reach it."""
    factor: float | None
    """Baseline's labels over the strategy's; a bound where ``is_bound``; None where the strategy
    does not reach the target."""
    is_bound: bool
    """Whether the baseline never reached it: then the factor is a lower bound, from the labels
    that its shortest run has."""


def acceleration(runs: Sequence[Curve], baseline: Sequence[Curve], target: float) -> Acceleration:
    """Return the acceleration factor of runs over a baseline's at a target utility."""
    ours = [labels_to_reach(curve, target) for curve in runs]
    theirs = [labels_to_reach(curve, target) for curve in baseline]
    n, n_baseline = censored_median(ours), censored_median(theirs)
    is_bound = n_baseline == NEVER
    spent = common_length(baseline) if is_bound else n_baseline
    return Acceleration(
        target,
        n,
        n_baseline,
        sum(each != NEVER for each in ours),
        sum(each != NEVER for each in theirs),
        None if n == NEVER else spent / n,
        is_bound and n != NEVER,
    )


def censored_median(labels: Sequence[float]) -> float:
    """Return the median of numbers of labels, those never reached counted as larger than all."""
    return float(median(labels))


def enhancement_of_found(
    counts: Sequence[Curve], baseline: Sequence[Curve], n: int
) -> float | None:
    """Return the enhancement factor after n labels by what was found: the mean number of labels at
    least as good as a target, over the baseline's; None where the baseline found none.

    Args:
        counts: ``count_so_far`` of each run.
        baseline: the same of the baseline's runs.
        n: number of labels, at most those of the shortest run.
    """
    ours, theirs = (float(np.mean([c[n - 1] for c in group])) for group in (counts, baseline))
    return ours / theirs if theirs > 0 else None


def enhancement_of_best(
    runs: Sequence[float], baseline: Sequence[float], band: Band
) -> float | None:
    """Return the enhancement factor by best utilities: middle over the baseline's middle, more
    than one where the runs are better.

    Properties to be minimised have negative utilities, and the ratio turns over. None where a
    value is zero or the two have different signs: a ratio then says nothing.
    """
    ours, theirs = middle_of(runs, band), middle_of(baseline, band)
    if ours is None or theirs is None or ours * theirs <= 0:
        return None
    return ours / theirs if ours > 0 else theirs / ours
