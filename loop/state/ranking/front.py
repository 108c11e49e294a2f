"""Pareto fronts of points: what no other dominates, its hypervolume, and the order behind it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""Utilities of several objectives, shape (n, m); more is better in each."""


def front_of(points: Points) -> npt.NDArray[np.int64]:
    """Return the rows of the points that no other dominates, each value once, in their order."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    kept: list[int] = []
    for row in _better_first(points):
        if not _is_covered(points[row], points[kept]):
            kept.append(row)
    return np.array(sorted(kept), dtype=np.int64)


def front_numbers(points: Points) -> npt.NDArray[np.int64]:
    """Return the number of each point's front, shape (n,): 0 for what nothing dominates, 1 for what
    only that dominates, and so on. Equal points share a front.

    The non-dominated sorting of NSGA-II (Deb, Pratap, Agarwal and Meyarivan, IEEE Transactions on
    Evolutionary Computation 6, 182, 2002), point by point with a binary search among the fronts
    (Zhang, Tian, Cheng and Jin, IEEE Transactions on Evolutionary Computation 19, 201, 2015).
    """
    values, inverse = np.unique(points, axis=0, return_inverse=True)
    numbers = np.zeros(len(values), dtype=np.int64)
    fronts: list[list[int]] = []
    for row in _better_first(values):
        low, high = 0, len(fronts)
        while low < high:
            middle = (low + high) // 2
            if _is_covered(values[row], values[fronts[middle]]):
                low = middle + 1
            else:
                high = middle
        if low == len(fronts):
            fronts.append([])
        fronts[low].append(row)
        numbers[row] = low
    return numbers[inverse.reshape(-1)]


def _better_first(points: Points) -> list[int]:
    """Return the rows in an order in which nothing is dominated by what comes later: by falling
    sums and, where these are equal or rounded to be, objective by objective."""
    keys = (np.arange(len(points)), *(-points.T[::-1]), -points.sum(axis=1))
    rows: list[int] = np.lexsort(keys).tolist()
    return rows


def _is_covered(point: npt.NDArray[np.float64], others: Points) -> bool:
    """Return whether one of the others is at least as good in every objective."""
    return bool((others >= point).all(axis=1).any())


def crowding_distances(points: Points) -> npt.NDArray[np.float64]:
    """Return NSGA-II's crowding distance of each point of one front, shape (n,); infinite at the
    ends."""
    found = np.zeros(len(points))
    for column in points.T:
        order = np.argsort(column, kind="stable")
        found[order[[0, -1]]] = np.inf
        if (span := column[order[-1]] - column[order[0]]) > 0:
            found[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return found


def hypervolume(points: Points, reference: Sequence[float]) -> float:
    """Return the volume that points dominate above a reference point, in the product of the
    objectives' units; 0 where none is above it in every objective.

    It is exact: a sweep along the last objective over hypervolumes of one dimension less
    (hypervolume by slicing objectives; While, Hingston, Barone and Huband, IEEE Transactions on
    Evolutionary Computation 10, 29, 2006).
    """
    heights = points - np.asarray(reference, dtype=float)
    heights = heights[(heights > 0).all(axis=1)]
    return _volume(heights[front_of(heights)]) if len(heights) else 0.0


def hypervolume_so_far(
    utilities: Sequence[Sequence[float] | None], reference: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Return the hypervolume after each label; it never falls, and is computed anew only where a
    label widens the front; shape (n,).

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
    return above and not _is_covered(point, front)


def contributions(points: Points, reference: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the hypervolume that is lost without each point, shape (n,)."""
    whole = hypervolume(points, reference)
    lost = [
        whole - hypervolume(np.delete(points, row, axis=0), reference) for row in range(len(points))
    ]
    return np.maximum(np.array(lost, dtype=float), 0.0)


def _volume(heights: Points) -> float:
    """Return the volume of the union of boxes from the origin to each point, all positive."""
    if heights.shape[1] == 1:
        return float(heights.max())
    ordered = heights[np.argsort(-heights[:, -1], kind="stable")]
    thickness = ordered[:, -1] - np.append(ordered[1:, -1], 0.0)
    if heights.shape[1] == 2:
        return float(np.maximum.accumulate(ordered[:, 0]) @ thickness)
    slices = (
        thick * _volume(ordered[: i + 1, :-1])
        for i, thick in enumerate(thickness.tolist())
        if thick
    )
    return float(sum(slices))
