"""Hyperparameters of a Gaussian process: the most probable, by slopes in closed form."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.choose.search.gaussian.covariance import Bend, Covariance

FIT_ITERATIONS = 50
LEAST_CHANGE = 1e-5
"""Relative change of the marginal likelihood below which a fit ends: further steps, half of all,
move the evidence by less than a hundredth of a nat."""


@dataclass(frozen=True)
class Prior:
    """Prior density of a positive hyperparameter, and where its search begins and ends."""

    family: Literal["gamma", "log-normal"]
    first: float
    """First parameter: a gamma density's shape, or the mean of a log-normal's logarithm."""
    second: float
    """Second parameter: a gamma density's rate, or the logarithm's standard deviation."""
    start: float = math.log(2)
    bounds: tuple[float, float] = (1e-6, 1e4)

    @property
    def log_bounds(self) -> tuple[float, float]:
        """Logarithms of the bounds."""
        return math.log(self.bounds[0]), math.log(self.bounds[1])

    def log_density(self, value: float) -> tuple[float, float]:
        """Return the logarithm of the density, but for a constant, and its slope by that of the
        value."""
        log = math.log(value)
        if self.family == "gamma":
            falling = self.second * value
            return (self.first - 1) * log - falling, self.first - 1 - falling
        off = (log - self.first) / self.second
        return -log - off**2 / 2, -1 - off / self.second


SLOPE, VARIANCE = Prior("gamma", 1.1, 0.2), Prior("gamma", 1.1, 0.5)
"""Priors of the variance of a linear part's weights, and of a bend."""
LENGTH = Prior("log-normal", 0.0, 1.0)
NOISE = Prior("log-normal", -5.0, 2.0, start=1e-2, bounds=(1e-4, 1e4))


def fitted_covariance(
    x: FloatArray,
    y: FloatArray,
    own_noise: FloatArray,
    spans: Sequence[slice],
    bent: Sequence[slice],
) -> Covariance:
    """Return the covariance of largest posterior density, for scaled rows (n, m) and values."""
    if not spans:  # nothing varies
        return Covariance(np.zeros(0), (), 1.0, 0.0)
    task = FitTask(x, y, own_noise, spans, bent)
    found = minimize(
        task,
        np.log([prior.start for prior in task.priors]),
        jac=True,
        method="L-BFGS-B",
        bounds=[prior.log_bounds for prior in task.priors],
        options={"maxiter": FIT_ITERATIONS, "ftol": LEAST_CHANGE},
    )
    n, values = len(spans), np.exp(found.x).tolist()
    linear = np.zeros(x.shape[1])
    for span, variance in zip(spans, values[:n], strict=True):
        linear[span] = variance
    bends = tuple(map(Bend, bent, values[n:-1:2], values[n + 1 : -1 : 2]))
    return Covariance(linear, bends, values[-1], task.mean(found.x))


class FitTask:
    """Negative log posterior density of hyperparameters, and its slopes by their logarithms.

    The hyperparameters are a variance for each linear part, variance and length for each bend, and
    the noise. Products and distances of rows do not depend on them and are computed once, which
    makes an evaluation several times as fast as by a library that differentiates whole kernels.

    Args:
        x: scaled rows, shape (n, m).
        y: scaled values, shape (n,).
        own_noise: variance of each value beside the noise of all, shape (n,).
        spans: columns of each linear part.
        bent: columns of each bend.
    """

    def __init__(
        self,
        x: FloatArray,
        y: FloatArray,
        own_noise: FloatArray,
        spans: Sequence[slice],
        bent: Sequence[slice],
    ) -> None:
        self._y, self._own_noise = y, own_noise
        self._products = [x[:, span] @ x[:, span].T for span in spans]
        self._distances = [math.sqrt(5) * cdist(x[:, span], x[:, span]) for span in bent]
        of_bends = [each for _ in bent for each in (VARIANCE, LENGTH)]
        self.priors = [*(SLOPE for _ in spans), *of_bends, NOISE]
        """Priors of the hyperparameters, in their order."""

    def __call__(self, logs: FloatArray) -> tuple[float, FloatArray]:
        """Return the density, and its slopes, (k,), at logarithms of the hyperparameters, (k,)."""
        values = np.exp(logs)
        covariance, changes = self._covariance(values)
        factor, residual = self._solved(covariance)
        solved = cho_solve((factor, True), residual)
        # Below the diagonal, and twice, since changes are symmetric: half the work.
        inverse = 2 * np.tril(dpotri(factor, lower=1)[0])
        np.fill_diagonal(inverse, np.diagonal(inverse) / 2)
        slopes = [0.5 * float(np.vdot(inverse, each) - solved @ each @ solved) for each in changes]
        slopes.append(0.5 * values[-1] * float(np.trace(inverse) - solved @ solved))
        density = 0.5 * float(residual @ solved) + float(np.log(np.diagonal(factor)).sum())
        priors = [each.log_density(value) for each, value in zip(self.priors, values, strict=True)]
        logs_of_priors, slopes_of_priors = np.array(priors).T
        return density - float(logs_of_priors.sum()), np.array(slopes) - slopes_of_priors

    def mean(self, logs: FloatArray) -> float:
        """Return the constant mean that is the likeliest with these hyperparameters."""
        covariance, _ = self._covariance(np.exp(logs))
        return float(self._y[0] - self._solved(covariance)[1][0])

    def _covariance(self, values: FloatArray) -> tuple[FloatArray, list[FloatArray]]:
        """Return the covariance, and its slopes by the logarithms of all but the noise."""
        n = len(self._products)
        changes = [value * each for value, each in zip(values, self._products, strict=False)]
        for k, distances in enumerate(self._distances):
            variance, length = values[n + 2 * k : n + 2 * k + 2]
            d = distances / length
            falling = variance * np.exp(-d)
            changes += [(1 + d + d**2 / 3) * falling, d**2 * (1 + d) / 3 * falling]
        parts = [*changes[:n], *changes[n::2]]
        return sum(parts, np.diag(values[-1] + self._own_noise)), changes

    def _solved(self, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the Cholesky factor below the diagonal, and what the values leave of the mean."""
        factor = cho_factor(covariance, lower=True)
        of_ones = cho_solve(factor, np.ones(len(self._y)))
        return factor[0], self._y - float(of_ones @ self._y) / float(of_ones.sum())
