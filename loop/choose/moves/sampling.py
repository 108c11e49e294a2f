"""Weighted choices, one in each row of an array, and draws until enough are in bounds."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import BoolArray, IntArray

MAX_DRAWS = 10_000
"""Largest number of draws in succession before the bounds are given up as too tight to hit."""


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


def choose_place(
    weights: npt.ArrayLike, rng: np.random.Generator
) -> tuple[tuple[IntArray, ...], BoolArray]:
    """Return a place per row, as probable as its weight, and whether the row has one.

    Args:
        weights: not negative, shape (n, …): of pairs, (n, m, m).
        rng: draws one number per row.

    Returns:
        Indices of each place along the axes behind the first, shapes (n,), and whether any weight
        is positive, shape (n,).
    """
    table = np.asarray(weights)
    place, is_able = choose(table.reshape(len(table), math.prod(table.shape[1:])), rng)
    return np.unravel_index(place, table.shape[1:]), is_able


def draw_in_bounds(
    draw: Callable[[int], IntArray],
    in_bounds: Callable[[IntArray], BoolArray],
    n: int,
    *,
    what: str,
) -> IntArray:
    """Return n codes in bounds, shape (n, k): what is drawn outside is drawn again.

    Args:
        draw: gives so many codes, some of them outside.
        in_bounds: tells which are inside.
        n: codes wanted.
        what: they are, in the plural, for the error.

    Raises:
        MaterialError: if none of ``MAX_DRAWS`` in succession is in bounds.
    """
    found: list[IntArray] = [draw(0)]  # without rows, but as wide as a code
    size, n_in_vain = max(2 * n, 64), 0
    while sum(map(len, found)) < n:
        drawn = draw(size)
        drawn = drawn[in_bounds(drawn)]
        n_in_vain = 0 if len(drawn) else n_in_vain + size
        if n_in_vain >= MAX_DRAWS:
            raise MaterialError(
                f"none of {MAX_DRAWS} {what} drawn at random lies within the fractions",
                remedy="Widen the space's fractions.",
            )
        found.append(drawn)
    return np.concatenate(found)[:n]
