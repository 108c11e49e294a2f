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
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.kernels import Kernel, LinearKernel, MaternKernel, ScaleKernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.priors import GammaPrior, LogNormalPrior
from scipy.linalg import cho_factor, cho_solve
from torch import Tensor

from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.choose.search.base import Standardisation
from alloop.loop.choose.telling_rows import telling_rows

MAX_FIT, MAX_ROWS = 256, 1000
FIT_ITERATIONS = 50
LEAST_CHANGE = 1e-5
"""Relative change of the marginal likelihood below which a fit ends: further steps, half of all,
move the evidence by less than a hundredth of a nat."""
ROWS_AT_ONCE = 2048


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
            a, b = x[:, bend.columns], other[:, bend.columns]
            squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
            distance = np.sqrt(5 * np.maximum(squares, 0.0)) / bend.length
            found += bend.variance * (1 + distance + distance**2 / 3) * np.exp(-distance)
        return found

    def variance(self, x: FloatArray) -> FloatArray:
        """Return the prior variance of rows (n, m), shape (n,)."""
        found: FloatArray = x**2 @ self.linear + sum(bend.variance for bend in self.bends)
        return found


@dataclass(frozen=True)
class GaussianProcess:
    """Posterior of a Gaussian process whose linear parts and bends are of descriptors."""

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
        listed = telling_rows(values, MAX_FIT)
        covariance = _fitted(torch.from_numpy(x[listed]), torch.from_numpy(y[listed]), spans, bent)
        kept = telling_rows(values, MAX_ROWS)
        x, residual = x[kept], y[kept] - covariance.mean
        noisy = covariance(x, x) + covariance.noise * np.eye(len(x))
        inverse = cho_solve(cho_factor(noisy, lower=True), np.eye(len(x)))
        solved = inverse @ residual
        # Rasmussen and Williams, Gaussian Processes for Machine Learning, eq. 5.10–5.12.
        variance = 1 / np.diagonal(inverse)
        off = solved * variance
        density = -0.5 * (np.log(2 * np.pi * variance) + off**2 / variance)
        evidence = float(density.mean()) - math.log(scaling.value_std)
        return cls(scaling, weights, covariance, x, solved, inverse, evidence)

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


def _fitted(x: Tensor, y: Tensor, spans: Sequence[slice], bent: Sequence[slice]) -> Covariance:
    lines = [_linear(span) for span in spans]
    curves = [
        ScaleKernel(
            MaternKernel(
                nu=2.5, lengthscale_prior=LogNormalPrior(0.0, 1.0), active_dims=_columns(columns)
            ),
            outputscale_prior=GammaPrior(1.1, 0.5),
        )
        for columns in bent
    ]
    likelihood = GaussianLikelihood(noise_prior=LogNormalPrior(-5.0, 2.0))
    likelihood.noise = 1e-2
    if not lines:  # nothing varies
        return Covariance(np.zeros(0), (), 1.0, 0.0)
    kernel: Kernel = reduce(add, [*lines, *curves])
    gp = SingleTaskGP(
        x, y[:, None], likelihood=likelihood, covar_module=kernel, outcome_transform=None
    )
    fit_gpytorch_mll(
        ExactMarginalLogLikelihood(gp.likelihood, gp),
        optimizer_kwargs={"options": {"maxiter": FIT_ITERATIONS, "ftol": LEAST_CHANGE}},
    )
    linear = np.zeros(x.shape[1])
    for span, line in zip(spans, lines, strict=True):
        linear[span] = line.outputscale.item()
    return Covariance(
        linear,
        tuple(
            Bend(columns, curve.outputscale.item(), curve.base_kernel.lengthscale.item())
            for columns, curve in zip(bent, curves, strict=True)
        ),
        noise=likelihood.noise.item(),
        mean=gp.mean_module.constant.item(),
    )


def _linear(span: slice) -> ScaleKernel:
    kernel = LinearKernel(active_dims=_columns(span))
    kernel.variance = 1.0
    kernel.raw_variance.requires_grad_(False)
    return ScaleKernel(kernel, outputscale_prior=GammaPrior(1.1, 0.2))


def _columns(span: slice) -> list[int]:
    return list(range(span.start, span.stop))
