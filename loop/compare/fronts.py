"""Hypervolume against the number of labels, and the reference point that runs are compared by."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from alloop.loop.compare.curves import Curve
from alloop.loop.state.front import Points, front_of, hypervolume

MARGIN = 0.1
"""Distance of the inferred reference point below the front's worst values, in the front's range:
the rule of BoTorch's ``infer_reference_point``."""


def hypervolume_so_far(
    utilities: Sequence[Sequence[float] | None], reference: Sequence[float]
) -> Curve:
    """Return the hypervolume after each label; it never falls, and is computed anew only where a
    label widens the front.

    Args:
        utilities: one point for each label in turn; None for a failed or infeasible one.
        reference: reference point, as utilities.
    """
    front: Points = np.empty((0, len(reference)))
    now, curve = 0.0, []
    for point in utilities:
        if point is not None and _widens(front, p := np.asarray(point, dtype=float), reference):
            front = np.vstack([front[(front > p).any(axis=1)], p])
            now = hypervolume(front, reference)
        curve.append(now)
    return np.array(curve, dtype=float)


def _widens(front: Points, point: npt.NDArray[np.float64], reference: Sequence[float]) -> bool:
    above = bool((point > np.asarray(reference)).all())
    return above and not bool((front >= point).all(axis=1).any())


def inferred_reference(points: Points) -> tuple[float, ...]:
    """Return a reference point for all runs alike: a tenth of the front's range below the worst
    values on the front of all their labels together.

    Args:
        points: utilities of all feasible labels of all runs, at least one.
    """
    front = points[front_of(points)]
    worst, best = front.min(axis=0), front.max(axis=0)
    span = best - worst
    # A front of a single point has no range of its own: then that of all labels.
    span = np.where(span > 0, span, np.ptp(points, axis=0))
    return tuple(float(each) for each in worst - MARGIN * span)
