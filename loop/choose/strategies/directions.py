"""Directions towards different parts of a Pareto front, one for each searcher."""

import numpy as np
from scipy.stats import qmc

from alloop.loop.state.ranking.utility import Utility

LEAST_WEIGHT = 0.05
"""Least weight of an objective, so that none is ever forgotten."""

Weights = tuple[float, ...]
"""Weight of each objective's gain, 1 on average; empty where no front is sought."""


def directions(utility: Utility, n: int) -> tuple[Weights, ...]:
    """Return the weights of n searchers side by side, spread evenly over the objectives.

    Each goes for its own part of the front (Pareto simulated annealing: Czyżak and Jaszkiewicz,
    Journal of Multi-Criteria Decision Analysis 7, 34, 1998). They never change: where a walker has
    come to follows from the record.
    """
    if not utility.seeks_front:
        return ((),) * n
    m = len(utility.scales)
    if n == 1:
        return ((1.0,) * m,)
    if m == 2:
        cuts = (np.arange(n)[:, None] + 0.5) / n
    else:
        cuts = np.sort(qmc.Halton(m - 1, scramble=False).random(n + 1)[1:], axis=1)
    ends = np.ones((n, 1))
    shares = np.diff(np.hstack([0 * ends, cuts, ends]), axis=1)  # (n, m)
    shares = np.maximum(shares, LEAST_WEIGHT)
    return tuple(map(tuple, (m * shares / shares.sum(axis=1, keepdims=True)).tolist()))
