"""Scores that a climb goes up by: cheap acquisitions of single candidates, in logarithms.

Each candidate is judged alone and by the marginals of its properties, taken as independent; the
batch is chosen jointly afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtri
from scipy.stats import qmc

from alloop.campaigns.objectives import Constraint, Objective
from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.record.events import Posterior

N_NODES = 64
"""Number of quasi-random draws of the properties where there is no closed form."""
SMOOTHING = 0.05
"""Width over which an improvement begins, in standard deviations of the utility, so that no
candidate has none (Ament et al., Unexpected improvements to expected improvement, 2023)."""


@dataclass(frozen=True)
class Marginals:
    """Mean and standard deviation of every property at every candidate, (n, p) each."""

    property_names: tuple[str, ...]
    mean: FloatArray
    std: FloatArray

    def of(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Return one property's, (n,) each."""
        column = self.property_names.index(name)
        return self.mean[:, column], self.std[:, column]

    def posterior(self, row: int) -> dict[str, Posterior]:
        """Return a candidate's posterior, by property."""
        return {
            name: Posterior(mean=float(self.mean[row, i]), std=float(self.std[row, i]))
            for i, name in enumerate(self.property_names)
        }


def log_expected_improvement(
    mean: FloatArray, std: FloatArray, best: float | FloatArray
) -> FloatArray:
    """Return the logarithm of the expected improvement of normal values over the best, (n,) or
    whatever shape the three have together.

    It is stable in both tails (Ament et al. 2023, eq. 8 and 9).
    """
    u = (mean - best) / std
    log_density = -0.5 * u**2 - 0.5 * np.log(2 * np.pi)
    # h(u) = φ(u) + u Φ(u) = φ(u) (1 − |u| Φ(u) / φ(u)) for u < 0
    ratio = np.where(u < 0, -u, 0.0) * np.exp(np.minimum(log_ndtr(u) - log_density, 700.0))
    # Far below, 1 − ratio is 1 / u² − 3 / u⁴ + …, which rounding would swallow.
    far = u < -50
    left = np.where(far, 0.0, log_density + np.log1p(-np.minimum(ratio, 1 - 1e-12)))
    tail = log_density - 2 * np.log(np.maximum(-u, 1.0))
    right = np.log(np.maximum(np.exp(log_density) + u * np.exp(log_ndtr(u)), 1e-300))
    found: FloatArray = np.where(far, tail, np.where(u < -1, left, right)) + np.log(std)
    return found


def log_feasibility(marginals: Marginals, constraints: Sequence[Constraint]) -> FloatArray:
    """Return the logarithm of the probability that every constraint is met, (n,)."""
    total = np.zeros(len(marginals.mean))
    for constraint in constraints:
        mean, std = marginals.of(constraint.property)
        if constraint.min is not None and constraint.max is not None:
            upper = log_ndtr((constraint.max - mean) / std)
            lower = log_ndtr((constraint.min - mean) / std)
            total += upper + np.log1p(-np.exp(np.minimum(lower - upper, -1e-12)))
        elif constraint.min is not None:
            total += log_ndtr((mean - constraint.min) / std)
        elif constraint.max is not None:
            total += log_ndtr((constraint.max - mean) / std)
    return total


@dataclass(frozen=True)
class ImprovementScore:
    """Expected improvement of a weighted sum of objectives, times the probability of feasibility.

    Without a feasible label it is the probability of feasibility alone.
    """

    objectives: tuple[Objective, ...]
    scales: tuple[float, ...]
    constraints: tuple[Constraint, ...]
    best: float | None
    """Utility of the best feasible label; None where there is none."""

    def __call__(self, marginals: Marginals) -> FloatArray:
        """Return the score of each candidate, (n,); more is better."""
        feasible = log_feasibility(marginals, self.constraints)
        if self.best is None:
            return feasible
        if any(objective.goal == "window" for objective in self.objectives):
            return feasible + self._by_draws(marginals, self.best)
        mean, variance = np.zeros(len(marginals.mean)), np.zeros(len(marginals.mean))
        for objective, scale in zip(self.objectives, self.scales, strict=True):
            its_mean, its_std = marginals.of(objective.property)
            factor = objective.weight / scale * (1 if objective.goal == "maximise" else -1)
            mean += factor * its_mean
            variance += (factor * its_std) ** 2
        return feasible + log_expected_improvement(mean, np.sqrt(variance), self.best)

    def _by_draws(self, marginals: Marginals, best: float) -> FloatArray:
        nodes = normal_nodes(len(marginals.property_names))
        total = np.zeros((len(nodes), len(marginals.mean)))
        for objective, scale in zip(self.objectives, self.scales, strict=True):
            column = marginals.property_names.index(objective.property)
            drawn = marginals.mean[:, column] + marginals.std[:, column] * nodes[:, column, None]
            total += objective.weight / scale * utilities(objective, drawn)
        width = SMOOTHING * np.maximum(total.std(axis=0), 1e-12)
        improvement = width * np.logaddexp(0.0, (total - best) / width)
        found: FloatArray = np.log(np.maximum(improvement.mean(axis=0), 1e-300))
        return found


def utilities(objective: Objective, values: FloatArray) -> FloatArray:
    """Return the utility of an objective at values of any shape; more is better."""
    if objective.goal == "window":
        assert objective.window is not None
        low, high = objective.window
        outside: FloatArray = -np.maximum(np.maximum(low - values, values - high), 0.0)
        return outside
    return values if objective.goal == "maximise" else -values


def normal_nodes(n_properties: int) -> FloatArray:
    """Return quasi-random standard normal draws, shape (``N_NODES``, properties)."""
    sobol = qmc.Sobol(n_properties, scramble=True, rng=0).random(N_NODES)
    nodes: FloatArray = ndtri(np.clip(sobol, 1e-6, 1 - 1e-6))
    return nodes
