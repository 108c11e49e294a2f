"""Cells of what a Pareto front leaves undominated: boxes that an improvement is summed over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from botorch.utils.multi_objective.box_decompositions.non_dominated import (
    FastNondominatedPartitioning,
)

from alloop.loop.choose.moves.base import FloatArray, IntArray

NARROWEST = 1e-12
"""Least difference of logarithms across a cell, which rounding could make nothing."""
LEAST = -1e300
"""Least logarithm of an improvement, where there can be none."""


@dataclass(frozen=True)
class Cells:
    """Disjoint boxes that fill everything above a reference point that a front does not dominate.

    The improvement of the hypervolume by a point is the sum of its parts in the cells (Yang,
    Emmerich, Deutz and Bäck, Journal of Global Optimization 75, 3, 2019).
    """

    edges: tuple[FloatArray, ...]
    """Edges of the cells along each objective, rising; the last may be infinite."""
    low: IntArray
    """Place of each cell's lower edge among the edges, shape (cells, objectives)."""
    high: IntArray
    """Place of its upper edge."""

    @classmethod
    def above(cls, points: FloatArray, reference: Sequence[float]) -> "Cells":
        """Return the cells above points.

        Args:
            points: utilities, shape (n, m); those that do not reach the reference do not count.
            reference: reference point, as utilities.
        """
        least = np.asarray(reference, dtype=float)
        reached = points[(points > least).all(axis=1)]
        if len(reached):
            found = FastNondominatedPartitioning(torch.from_numpy(least), torch.from_numpy(reached))
            low, high = found.get_hypercell_bounds().numpy()
        else:
            low, high = least[None], np.full((1, len(least)), np.inf)
        edges, places = [], []
        for column in range(len(least)):
            unique, place = np.unique(
                np.concatenate([low[:, column], high[:, column]]), return_inverse=True
            )
            edges.append(unique)
            places.append(place.reshape(2, -1))
        lows, highs = np.stack(places, axis=-1)
        return cls(tuple(edges), lows, highs)

    def improvement(self, points: FloatArray) -> FloatArray:
        """Return by how much the hypervolume grows with each point (n, m) alone, shape (n,)."""
        total = np.ones((len(points), len(self.low)))
        for column, edges in enumerate(self.edges):
            low, high = edges[self.low[:, column]], edges[self.high[:, column]]
            inside = np.minimum(points[:, column, None], high) - low
            total *= np.maximum(inside, 0.0)
        summed: FloatArray = total.sum(axis=1)
        return summed

    def log_expected_improvement(self, log_gains: Sequence[FloatArray]) -> FloatArray:
        """Return the logarithm of the expected improvement of the hypervolume, shape (n,).

        It is exact for independent objectives, and differs between candidates where nothing is
        expected to improve: those nearer to an improvement have more.

        Args:
            log_gains: for each objective the logarithm of the expected excess of each candidate
                over each edge, shape (n, edges).
        """
        total = np.zeros((len(log_gains[0]), len(self.low)))
        for column, gains in enumerate(log_gains):
            over, beyond = gains[:, self.low[:, column]], gains[:, self.high[:, column]]
            total += log_difference(over, beyond)
        most = np.maximum(total.max(axis=1), LEAST)
        share = np.exp(total - most[:, None]).sum(axis=1)
        summed: FloatArray = most + np.log(np.maximum(share, np.finfo(float).tiny))
        return summed


def log_difference(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return log(exp(first) − exp(second)) for second ≤ first, of any shape; minus infinity where
    the first is."""
    known = np.isfinite(first)
    ratio = np.where(known, second, -1.0) - np.where(known, first, 0.0)
    found: FloatArray = first + np.log1p(-np.exp(np.minimum(ratio, -NARROWEST)))
    return found
