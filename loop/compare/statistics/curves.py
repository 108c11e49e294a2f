"""Progress against the number of labels: of one run, and of several with a band.

Progress is a utility: more is better, whatever the goal. It is −∞ as long as no label is feasible,
and ends with the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float64]
"""Best so far after 1, 2, …, n labels, shape (n,); never falls."""

NEVER = float("inf")
"""Number of labels after which something happens that did not happen."""


class Band(StrEnum):
    """Middle and spread over seeds."""

    QUARTILES = "quartiles"
    """Median, and first and third quartile."""
    STANDARD_ERROR = "standard-error"
    """Mean, and one standard error of the mean on either side."""

    @property
    def words(self) -> str:
        """The band in words."""
        if self is Band.QUARTILES:
            return "median and quartiles over seeds"
        return "mean ± one standard error over seeds"


@dataclass(frozen=True)
class BandCurve:
    """Middle and spread of several curves, up to where the shortest ends; NaN where some of the
    runs that they are taken from have no feasible label yet."""

    middle: Curve
    low: Curve
    high: Curve


def best_so_far(utilities: Sequence[float | None]) -> Curve:
    """Return the best utility after each label.

    Args:
        utilities: one for each label in turn; None for a failed or infeasible one.
    """
    values = np.array([-np.inf if u is None else u for u in utilities], dtype=float)
    return np.maximum.accumulate(values) if len(values) else values


def count_so_far(utilities: Sequence[float | None], target: float) -> Curve:
    """Return how many labels are at least as good as a target, after each label."""
    good = np.array([u is not None and u >= target for u in utilities], dtype=float)
    return np.cumsum(good)


def labels_to_reach(curve: Curve, target: float) -> float:
    """Return the number of labels after which a curve has reached a target; ``NEVER`` if not."""
    reached = np.flatnonzero(curve >= target)
    return float(reached[0] + 1) if len(reached) else NEVER


def common_length(curves: Sequence[Curve]) -> int:
    """Return the number of labels that every curve has."""
    return min((len(curve) for curve in curves), default=0)


def band_of(curves: Sequence[Curve], band: Band) -> BandCurve:
    """Return middle and spread of curves, up to where the shortest ends.

    A single run has no spread: its band is the curve itself, or NaN for a standard error.
    """
    n = common_length(curves)
    values = np.array([curve[:n] for curve in curves])  # (runs, n)
    if band is Band.QUARTILES:
        return BandCurve(*(quantile(values, q) for q in (0.5, 0.25, 0.75)))
    everywhere = np.isfinite(values).all(axis=0)
    known = np.where(everywhere, values, 0.0)
    mean = known.mean(axis=0)
    k = len(values)
    error = known.std(axis=0, ddof=1) / np.sqrt(k) if k > 1 else np.full(n, np.nan)
    return BandCurve(
        *(np.where(everywhere, each, np.nan) for each in (mean, mean - error, mean + error))
    )


def quantile(values: npt.NDArray[np.float64], q: float) -> npt.NDArray[np.float64]:
    """Return a quantile over the first axis, interpolated between order statistics; NaN where
    it lies next to an infinite one.

    Args:
        values: shape (runs, n), infinite ones among them where a run has nothing yet.
        q: share in [0, 1].
    """
    ordered = np.sort(values, axis=0)
    place = q * (len(ordered) - 1)
    low, high = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
    known = np.isfinite(low) & np.isfinite(high)
    share = place - np.floor(place)
    return np.where(
        known,
        (1 - share) * np.where(known, low, 0.0) + share * np.where(known, high, 0.0),
        np.nan,
    )


def middle_of(values: Sequence[float], band: Band) -> float | None:
    """Return the median or mean of numbers; None where it is not finite."""
    array = np.asarray(values, dtype=float)[:, None]
    if band is Band.QUARTILES:
        found = float(quantile(array, 0.5)[0])
    else:
        found = float(array.mean()) if np.isfinite(array).all() else np.nan
    return found if np.isfinite(found) else None
