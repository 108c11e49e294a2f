"""The rows that tell most of a property, where there are more labels than a fit needs."""

import numpy as np

from alloop.loop.choose.moves.base import IntArray


def telling_rows(values: np.ndarray, most: int) -> IntArray:
    """Return at most so many rows, in their order: half of them the most extreme, the others spread
    evenly over the rest. Rows without a value, NaN, are none of them.

    Args:
        values: of one property, shape (n,).
        most: number of rows.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) <= most:
        return known
    off = np.abs(values[known] - np.median(values[known]))
    extreme = known[np.argsort(-off, kind="stable")[: most // 2]]
    rest = np.setdiff1d(known, extreme)
    evenly = rest[np.linspace(0, len(rest) - 1, most - len(extreme)).round().astype(int)]
    return np.union1d(extreme, evenly)
