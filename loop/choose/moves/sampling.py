"""Weighted choices, one in each row of an array."""

import numpy as np
import numpy.typing as npt

from alloop.loop.choose.moves.base import BoolArray, IntArray


def choose(weights: npt.ArrayLike, rng: np.random.Generator) -> tuple[IntArray, BoolArray]:
    """Return a column per row, as probable as its weight, and whether the row has one.

    Args:
        weights: not negative, shape (n, m); a row of zeros has nothing to choose.
        rng: draws one number per row.

    Returns:
        Columns, shape (n,), and whether any weight of the row is positive, shape (n,).
    """
    totals = np.cumsum(np.asarray(weights, dtype=float), axis=1)
    drawn = rng.random(len(totals)) * totals[:, -1]
    return (totals > drawn[:, None]).argmax(axis=1), totals[:, -1] > 0


def choose_pair(
    weights: npt.ArrayLike, rng: np.random.Generator
) -> tuple[IntArray, IntArray, BoolArray]:
    """Return a pair per row, as probable as its weight, and whether the row has one.

    Args:
        weights: not negative, shape (n, m, m).
        rng: draws one number per row.

    Returns:
        First and second of each pair, shapes (n,), and whether any weight is positive, shape (n,).
    """
    square = np.asarray(weights)
    n, m, _ = square.shape
    pair, is_able = choose(square.reshape(n, m * m), rng)
    return pair // m, pair % m, is_able
