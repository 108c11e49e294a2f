"""The nearest alloys that are allowed: within bounds, of so many elements, affordable, in steps."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SLACK = 1e-6
"""Tolerance of a fraction: less than any scale weighs."""
LEAST_PART = 0.01
"""Fraction of an element that is only there because an alloy needs so many, without steps."""


@dataclass(frozen=True)
class Bounds:
    """What the alloys of e elements may be."""

    low: FloatArray
    """Lowest fractions, shape (e,)."""
    high: FloatArray
    """Highest fractions, shape (e,)."""
    fewest: int = 1
    """Least number of elements in one alloy."""
    most: int | None = None
    """Largest number of them; any, if None."""
    excess: FloatArray | None = None
    """What a mole of each element costs beyond what it may, shape (e,): sums over an alloy are at
    most 0. None where the price is of no account."""
    n_parts: int | None = None
    """Number of steps from 0 to 1; None without steps."""


def project(fractions: FloatArray, bounds: Bounds) -> FloatArray:
    """Return allowed fractions near given ones, shape (n, e); NaN in rows where none is found.

    Elements beyond the most allowed go first, the smallest fractions before others. The rest is
    scaled so that it sums to one, each element stopping at its bounds. A price that is too high is
    met by blending towards the same elements' cheapest allowed mixture. Steps are rounded to last,
    the largest remainders up.

    Args:
        fractions: of alloys, shape (n, e).
        bounds: on them.
    """
    kept, needed = _elements(fractions, bounds)
    least = LEAST_PART if bounds.n_parts is None else 1 / bounds.n_parts
    high = np.where(kept, bounds.high, 0.0)
    low = np.where(needed, np.minimum(np.maximum(bounds.low, least), high), bounds.low)
    found = _scaled(fractions, low, high)
    if bounds.excess is not None:
        found = _affordable(found, low, np.where(found > 0, high, 0.0), bounds.excess)
    if bounds.n_parts is not None:
        found = _stepped(found, low, high, bounds)
    return found


def _elements(fractions: FloatArray, bounds: Bounds) -> tuple[BoolArray, BoolArray]:
    """Return which elements each alloy keeps, and which of them it must have: what has a lowest
    fraction first, then the largest fractions, then what has the most room."""
    rank = np.where(bounds.low > 0, 3.0, 0.0) + np.where(fractions > 0, 1 + fractions, 0.0)
    rank = np.where(bounds.high > 0, rank + 1e-3 * bounds.high, -1.0)
    kept = (rank >= 1) & (bounds.high > 0)
    # What is there cannot fill an alloy: anything may join it.
    cannot = np.where(kept, bounds.high, 0.0).sum(1) < 1 - SLACK
    kept[cannot] = bounds.high > 0
    place = (-rank).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    is_first = place < bounds.fewest
    kept |= is_first & (bounds.high > 0)
    if bounds.most is not None:
        kept &= place < bounds.most
        cannot = np.where(kept, bounds.high, 0.0).sum(1) < 1 - SLACK
        roomy = np.where(bounds.low > 0, 2.0, 0.0) + bounds.high
        kept[cannot] = (-roomy).argsort(kind="stable").argsort(kind="stable") < bounds.most
    return kept, kept & is_first & (bounds.fewest > 1)


def _scaled(fractions: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return clip(s · fractions, low, high) with the s of each row for which it sums to one."""
    impossible = (low.sum(1) > 1 + SLACK) | (high.sum(1) < 1 - SLACK)
    # An element at nought would stay there, however large s is.
    weights = np.where(high > 0, np.maximum(fractions, 1e-6), 0.0)
    least, most = np.zeros((len(weights), 1)), np.full((len(weights), 1), 1e9)
    for _ in range(100):
        middle = np.sqrt(np.maximum(least, 1e-9) * most)
        is_low = np.clip(middle * weights, low, high).sum(1, keepdims=True) < 1
        least, most = np.where(is_low, middle, least), np.where(is_low, most, middle)
    found = np.clip(most * weights, low, high)
    found[impossible] = np.nan
    return found


def _affordable(
    fractions: FloatArray, low: FloatArray, high: FloatArray, excess: FloatArray
) -> FloatArray:
    """Return affordable mixtures of the same elements; NaN where even the cheapest is none."""
    dear = fractions @ excess > 0
    if not dear.any():
        return fractions
    cheapest = low.copy()
    for i in np.argsort(excess):
        room = np.maximum(1 - cheapest.sum(1), 0.0)
        cheapest[:, i] += np.clip(high[:, i] - low[:, i], 0.0, room)
    saving = (fractions - cheapest) @ excess
    share = np.divide(fractions @ excess, saving, out=np.ones(len(dear)), where=saving > 0)
    share = np.minimum(1.0, share * (1 + SLACK))[:, None]
    found = np.where(dear[:, None], fractions + share * (cheapest - fractions), fractions)
    found[dear & ((cheapest.sum(1) < 1 - SLACK) | (cheapest @ excess > 0))] = np.nan
    return found


def _stepped(
    fractions: FloatArray, low: FloatArray, high: FloatArray, bounds: Bounds
) -> FloatArray:
    """Return fractions in whole steps within the bounds; NaN where rounding finds none."""
    n = bounds.n_parts
    assert n is not None
    least, most = np.ceil(n * low - SLACK), np.floor(n * high + SLACK)
    exact = n * np.nan_to_num(fractions)
    parts = np.clip(np.floor(exact + SLACK), least, most)
    for _ in range(2 * n):
        missing = n - parts.sum(1)
        short, long = missing > 0, missing < 0
        if not (short.any() or long.any()):
            break
        remainder = exact - parts
        _step(parts, np.where(parts < most, remainder, -np.inf), short, 1)
        _step(parts, np.where(parts > least, -remainder, -np.inf), long, -1)
    if bounds.excess is not None:
        _make_affordable(parts, least, most, bounds.excess)
    found = parts / n
    is_good = (parts.sum(1) == n) & ~np.isnan(fractions).any(1)
    if bounds.excess is not None:
        is_good &= parts @ bounds.excess <= SLACK * n
    found[~is_good] = np.nan
    return found


def _step(parts: FloatArray, worth: FloatArray, rows: BoolArray, step: int) -> None:
    """Change each of some rows by a step at its most worthy element, in place."""
    best = worth.argmax(axis=1)
    rows = rows & np.isfinite(worth.max(axis=1))
    parts[rows, best[rows]] += step


def _make_affordable(
    parts: FloatArray, least: FloatArray, most: FloatArray, excess: FloatArray
) -> None:
    """Give steps of the dearest elements to the cheapest that are there, where rounding made an
    alloy dearer than it may be, in place."""
    for row in np.flatnonzero(parts @ excess > 0):
        while parts[row] @ excess > 0:
            givers = np.where(parts[row] > least[row], excess, -np.inf)
            takers = np.where((parts[row] > 0) & (parts[row] < most[row]), excess, np.inf)
            giver, taker = int(givers.argmax()), int(takers.argmin())
            if not givers[giver] > takers[taker]:
                break
            parts[row, giver] -= 1
            parts[row, taker] += 1
