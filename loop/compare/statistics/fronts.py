"""The reference point of runs that have recorded none."""

import numpy as np

from alloop.loop.state.ranking.front import Points, front_of

MARGIN = 0.1
"""Distance of the inferred reference point below the front's worst values, in the front's range:
the rule of BoTorch's ``infer_reference_point``."""


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
