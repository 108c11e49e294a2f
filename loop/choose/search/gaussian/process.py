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
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from alloop.loop.choose.moves.base import FloatArray, IntArray
from alloop.loop.choose.search.base import Standardisation
from alloop.loop.choose.search.gaussian.covariance import Covariance
from alloop.loop.choose.search.gaussian.fit import fitted_covariance
from alloop.loop.choose.telling_rows import telling_rows

MAX_FIT, MAX_ROWS = 256, 1000
PASSES, AT_ONCE = 4, 50
"""Fits at most, after each of which one row and one in fifty more may get noise of their own."""
FARTHEST, FEWEST = 4.0, 24
"""Standard deviations beyond which a row is not explained, and fewest rows that tell."""
ROWS_AT_ONCE = 256
"""Number of rows that are predicted together: their covariances stay in a core's cache."""


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
        return farthest[far[farthest] > FARTHEST]


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
            covariance = fitted_covariance(x[listed], y[listed], own_noise[listed], spans, bent)
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
