"""Shapley values of a function's inputs, by permutations with their reverses.

Each permutation switches an input after another from a background row's to the explained row's, and
back in the same order; an input's value is the mean change at its switch, so the values of a row
add up to the function's value less its mean over the background (Lundberg and Lee, NIPS 2017;
Mitchell et al., JMLR 23 (2022) 43, on pairs of a permutation and its reverse). The package `shap`
does the same, and compiles for fifteen seconds in every process first; a test compares the two.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

MOST_ROWS = 100_000
"""Number of rows that the function is given at once; bounds the memory."""


def shapley_values(
    function: Callable[[FloatArray], FloatArray],
    inputs: FloatArray,
    background: FloatArray,
    *,
    n_permutations: int,
    seed: int,
) -> FloatArray:
    """Return the Shapley values of inputs, shape (n, m).

    Exact for functions in which no more than two inputs act together (shap's documentation of its
    permutation explainer); else the mean over the permutations.

    Args:
        function: from rows, shape (k, m), to values, shape (k,).
        inputs: rows to explain, shape (n, m).
        background: rows that an absent input is taken from, shape (b, m).
        n_permutations: number of permutations, each with its reverse.
        seed: of the permutations.
    """
    m, rng = inputs.shape[1], np.random.default_rng(seed)
    values = np.zeros(inputs.shape)
    share = max(MOST_ROWS // max(len(background), 1), 1)
    permutations = [rng.permutation(m) for _ in range(n_permutations)]
    for first in range(0, len(inputs), share):
        some = inputs[first : first + share]
        for order in (each for one in permutations for each in (one, one[::-1])):
            values[first : first + share] += _one_way(function, some, background, order)
    return values / (2 * n_permutations)


def _one_way(
    function: Callable[[FloatArray], FloatArray],
    inputs: FloatArray,
    background: FloatArray,
    order: npt.NDArray[np.int64],
) -> FloatArray:
    """Return the mean change at each input's switch, shape (n, m)."""
    n, b = len(inputs), len(background)
    rows = np.tile(background, (n, 1))  # (n b, m)
    changes = np.zeros(inputs.shape)
    before = function(rows).reshape(n, b).mean(axis=1)
    for column in order:
        rows[:, column] = np.repeat(inputs[:, column], b)
        after = function(rows).reshape(n, b).mean(axis=1)
        changes[:, column] = after - before
        before = after
    return changes
