"""A Gaussian process on descriptors: a linear part for each kind of them, and what bends.

Few hyperparameters, whatever the number of descriptors: a variance for the linear part of each
kind (composition, pairs, triangles), variance and length of what bends, and the noise. They are
fitted to at most ``MAX_FIT`` rows and the process is conditioned on at most ``MAX_ROWS``, half of
them those with the most extreme values, so that a round costs the same for ten thousand labels as
for a thousand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from alloop.loop.choose.moves.base import FloatArray, IntArray
from alloop.loop.choose.search.base import Standardisation
from alloop.loop.choose.telling_rows import telling_rows

MAX_FIT, MAX_ROWS = 256, 1000
PASSES, AT_ONCE = 4, 50
"""Fits at most, after each of which one row and one in fifty more may get noise of their own."""
FARTHEST, FEWEST = 4.0, 24
"""Standard deviations beyond which a row is not explained, and fewest rows that tell."""
FIT_ITERATIONS = 50
LEAST_CHANGE = 1e-5
"""Relative change of the marginal likelihood below which a fit ends: further steps, half of all,
move the evidence by less than a hundredth of a nat."""
ROWS_AT_ONCE = 256
"""Number of rows that are predicted together: their covariances stay in a core's cache."""


@dataclass(frozen=True)
class Prior:
    """Prior density of a positive hyperparameter, and where its search begins and ends."""

    family: Literal["gamma", "log-normal"]
    first: float
    """Shape of a gamma density, mean of a log-normal's logarithm."""
    second: float
    """Rate of a gamma density, standard deviation of a log-normal's logarithm."""
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
            return (
                self.first - 1
            ) * log - self.second * value, self.first - 1 - self.second * value
        off = (log - self.first) / self.second
        return -log - off**2 / 2, -1 - off / self.second


SLOPE, VARIANCE = Prior("gamma", 1.1, 0.2), Prior("gamma", 1.1, 0.5)
"""Of the variance of a linear part's weights, and of a bend."""
LENGTH = Prior("log-normal", 0.0, 1.0)
NOISE = Prior("log-normal", -5.0, 2.0, start=1e-2, bounds=(1e-4, 1e4))


@dataclass(frozen=True)
class Bend:
    """Matérn kernel b (1 + d + d²/3) exp(−d), d = √5 |x − x'| / length, over some columns."""

    columns: slice
    variance: float
    length: float


@dataclass(frozen=True)
class Covariance:
    """Prior covariance of the process: linear parts and bends, over scaled descriptors."""

    linear: FloatArray
    """Variance of the weight of each column, shape (m,)."""
    bends: tuple[Bend, ...]
    noise: float
    mean: float

    def __call__(self, x: FloatArray, other: FloatArray) -> FloatArray:
        """Return covariances of rows (n, m) and (k, m), shape (n, k)."""
        found = (x * self.linear) @ other.T
        for bend in self.bends:
            scale = math.sqrt(5) / bend.length
            a, b = x[:, bend.columns] * scale, other[:, bend.columns] * scale
            # In place: what is new each time takes longer to fetch than to compute.
            distance = a @ (-2 * b.T)
            distance += (a**2).sum(axis=1)[:, None]
            distance += (b**2).sum(axis=1)
            np.sqrt(np.maximum(distance, 0.0, out=distance), out=distance)
            falling = np.exp(-distance)
            risen = distance / 3
            risen += 1
            risen *= distance
            risen += 1
            risen *= falling
            risen *= bend.variance
            found += risen
        return found

    def variance(self, x: FloatArray) -> FloatArray:
        """Return the prior variance of rows (n, m), shape (n,)."""
        found: FloatArray = x**2 @ self.linear + sum(bend.variance for bend in self.bends)
        return found


@dataclass(frozen=True)
class LeftOut:
    """What the process says of each row that it is conditioned on, given all others."""

    own_noise: FloatArray
    """Variance of each row beside the noise of all, shape (n,)."""
    inverse: FloatArray
    """Inverse covariance with the noise, shape (n, n)."""
    solved: FloatArray
    """Inverse covariance times the residuals, shape (n,)."""

    @classmethod
    def of(
        cls, covariance: Covariance, x: FloatArray, y: FloatArray, own_noise: FloatArray
    ) -> "LeftOut":
        """Return it for rows (n, m) with scaled values and noise of their own, (n,) each."""
        noisy = covariance(x, x) + np.diag(covariance.noise + own_noise)
        inverse = cho_solve(cho_factor(noisy, lower=True), np.eye(len(x)))
        return cls(own_noise, inverse, inverse @ (y - covariance.mean))

    # Rasmussen and Williams, Gaussian Processes for Machine Learning, eq. 5.10–5.12.
    @property
    def variance(self) -> FloatArray:
        """Predicted variance of each row, shape (n,)."""
        found: FloatArray = 1 / np.diagonal(self.inverse)
        return found

    @property
    def off(self) -> FloatArray:
        """Value of each row less its prediction, shape (n,)."""
        return self.solved * self.variance

    @property
    def log_density(self) -> FloatArray:
        """Logarithm of the predictive density at each row, shape (n,)."""
        density: FloatArray = -0.5 * (
            np.log(2 * np.pi * self.variance) + self.off**2 / self.variance
        )
        return density

    def unexplained(self) -> IntArray:
        """Return the rows that lie more than ``FARTHEST`` standard deviations off, the farthest of
        those without noise of their own; few at a time, since they hide one another."""
        if len(self.solved) < FEWEST:
            return np.zeros(0, dtype=np.int64)
        far = np.where(self.own_noise > 0, 0.0, np.abs(self.off) / np.sqrt(self.variance))
        farthest = np.argsort(-far, kind="stable")[: 1 + len(far) // AT_ONCE]
        return np.sort(farthest[far[farthest] > FARTHEST])


@dataclass(frozen=True)
class GaussianProcess:
    """Posterior of a Gaussian process whose linear parts and bends are of descriptors.

    Some labels are unlike all around them: crystals that relax into something else. A Gaussian
    noise that has to explain them too is far too large for the others, so each of them has a noise
    of its own, as large as it is off (compare Ament et al., Robust Gaussian processes via relevance
    pursuit, NeurIPS 2024, where a greedy search finds them).
    """

    scaling: Standardisation
    weights: FloatArray
    """Factor of each standardised descriptor, shape (m,): each kind has length one on average."""
    covariance: Covariance
    rows: FloatArray
    """Scaled descriptors that it is conditioned on, shape (n, m)."""
    solved: FloatArray
    """Inverse covariance times the residuals, shape (n,)."""
    inverse: FloatArray
    """Inverse covariance with the noise, shape (n, n)."""
    log_evidence: float
    """Leave-one-out log predictive density of the labels, on average, in their own units."""

    @classmethod
    def fit(
        cls,
        features: FloatArray,
        values: FloatArray,
        groups: Sequence[int] | None = None,
        *,
        bends_all: bool = False,
    ) -> Self:
        """Return the process fitted by maximum marginal likelihood.

        Args:
            features: shape (n, d).
            values: shape (n,).
            groups: numbers of descriptors of each kind; None for a single kind.
            bends_all: whether there is a bend over all kinds but the first too.
        """
        scaling = Standardisation.of(features, values)
        kind = np.repeat(np.arange(len(groups)), groups) if groups else np.zeros(features.shape[1])
        spans = _spans(kind[scaling.varies])
        weights = np.ones(int(scaling.varies.sum()))
        for span in spans:
            weights[span] /= math.sqrt(span.stop - span.start)
        x, y = scaling.features(features) * weights, scaling.values(values)
        bent = _bent_columns(spans, is_first_there=bool((kind[scaling.varies] == 0).any()))
        if not bends_all and len(bent) > 1:
            bent = bent[:1]
        listed, kept = telling_rows(values, MAX_FIT), telling_rows(values, MAX_ROWS)
        own_noise = np.zeros(len(y))
        for passes_left in reversed(range(PASSES)):
            covariance = _fitted(x[listed], y[listed], own_noise[listed], spans, bent)
            found = LeftOut.of(covariance, x[kept], y[kept], own_noise[kept])
            places = found.unexplained()
            if not (passes_left and len(places)):
                break
            own_noise[kept[places]] = found.off[places] ** 2
        evidence = float(found.log_density.mean()) - math.log(scaling.value_std)
        return cls(scaling, weights, covariance, x[kept], found.solved, found.inverse, evidence)

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of the values, (k,) each, the noise included."""
        x = self.scaling.features(features) * self.weights
        parts = [self._predict(x[i : i + ROWS_AT_ONCE]) for i in range(0, len(x), ROWS_AT_ONCE)]
        mean, variance = (np.concatenate(part) for part in zip(*parts, strict=True))
        return self.scaling.unscaled(mean, np.sqrt(variance))

    def joint(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean (k,) and covariance (k, k) of the noiseless values at (k, d)."""
        x = self.scaling.features(features) * self.weights
        cross = self.covariance(x, self.rows)
        covariance = self.covariance(x, x) - cross @ self.inverse @ cross.T
        mean = cross @ self.solved + self.covariance.mean
        scale = self.scaling.value_std
        return mean * scale + self.scaling.value_mean, covariance * scale**2

    def _predict(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        cross = self.covariance(x, self.rows)
        explained = np.einsum("ij,ij->i", cross @ self.inverse, cross)
        left = np.maximum(self.covariance.variance(x) - explained, 0.0)
        return cross @ self.solved + self.covariance.mean, left + self.covariance.noise


def may_bend_apart(features: FloatArray, groups: Sequence[int] | None) -> bool:
    """Return whether descriptors of the first kind vary and others do too, so that a process may
    bend along each by itself.

    Args:
        features: shape (n, d).
        groups: numbers of descriptors of each kind; None for a single kind.
    """
    if groups is None:
        return False
    varies = Standardisation.of(features, np.zeros(len(features))).varies
    return bool(varies[: groups[0]].any() and varies[groups[0] :].any())


def _spans(kind: npt.NDArray[Any]) -> list[slice]:
    """Return the columns of each kind, in their order."""
    edges = np.flatnonzero(np.diff(kind, prepend=-1.0, append=np.inf))
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _bent_columns(spans: Sequence[slice], *, is_first_there: bool) -> list[slice]:
    """Return the columns of the bends: of the first kind, and of all others together."""
    if len(spans) <= 1 or not is_first_there:
        return [slice(0, spans[-1].stop)] if spans else []
    return [spans[0], slice(spans[1].start, spans[-1].stop)]


def _fitted(
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
