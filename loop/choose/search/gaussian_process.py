"""A Gaussian process on descriptors: a linear part, and what bends around it.

Few hyperparameters, whatever the number of descriptors: the variances of both parts and of the
noise, and one length. They are fitted to at most ``MAX_FIT`` rows and the process is conditioned
on at most ``MAX_ROWS``, half of them those with the most extreme values, so that a round costs the
same for ten thousand labels as for a thousand.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.kernels import LinearKernel, MaternKernel, ScaleKernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.priors import GammaPrior, LogNormalPrior
from scipy.linalg import cho_factor, cho_solve
from torch import Tensor

from alloop.loop.choose.moves.base import IntArray
from alloop.loop.choose.search.base import FloatArray, Standardisation

MAX_FIT, MAX_ROWS = 256, 1000
FIT_ITERATIONS = 50
ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class Kernel:
    """Covariance a x·x' + b (1 + d + d²/3) exp(−d) with d = √5 |x − x'| / length (Matérn 5/2)."""

    linear: float
    bent: float
    length: float
    noise: float
    mean: float

    def __call__(self, x: FloatArray, other: FloatArray) -> FloatArray:
        """Return covariances of rows (…, n, d) and (…, m, d), shape (…, n, m)."""
        products = x @ np.swapaxes(other, -1, -2)
        squares = (x**2).sum(axis=-1)[..., :, None] + (other**2).sum(axis=-1)[..., None, :]
        distance = np.sqrt(5 * np.maximum(squares - 2 * products, 0.0)) / self.length
        bent = (1 + distance + distance**2 / 3) * np.exp(-distance)
        found: FloatArray = self.linear * products + self.bent * bent
        return found

    def variance(self, x: FloatArray) -> FloatArray:
        """Return the prior variance of rows (…, n, d), shape (…, n)."""
        found: FloatArray = self.linear * (x**2).sum(axis=-1) + self.bent
        return found


@dataclass(frozen=True)
class GaussianProcess:
    """Posterior of a Gaussian process with a linear and a Matérn kernel."""

    scaling: Standardisation
    kernel: Kernel
    rows: FloatArray
    """Standardised descriptors that it is conditioned on, shape (n, m)."""
    solved: FloatArray
    """Inverse covariance times the residuals, shape (n,)."""
    inverse: FloatArray
    """Inverse covariance with the noise, shape (n, n)."""
    log_evidence: float
    """Leave-one-out log predictive density of the labels, on average, in their own units."""

    @classmethod
    def fit(cls, features: FloatArray, values: FloatArray) -> Self:
        """Return the process fitted by maximum marginal likelihood to values (n,) at (n, d)."""
        scaling = Standardisation.of(features, values)
        x, y = _inputs(scaling, features), scaling.values(values)
        listed = _telling_rows(values, MAX_FIT)
        kernel = _fitted(torch.from_numpy(x[listed]), torch.from_numpy(y[listed]))
        kept = _telling_rows(values, MAX_ROWS)
        x, residual = x[kept], y[kept] - kernel.mean
        covariance = kernel(x, x) + kernel.noise * np.eye(len(x))
        inverse = cho_solve(cho_factor(covariance, lower=True), np.eye(len(x)))
        solved = inverse @ residual
        # Rasmussen and Williams, Gaussian Processes for Machine Learning, eq. 5.10–5.12.
        variance = 1 / np.diagonal(inverse)
        off = solved * variance
        density = -0.5 * (np.log(2 * np.pi * variance) + off**2 / variance)
        evidence = float(density.mean()) - math.log(scaling.value_std)
        return cls(scaling, kernel, x, solved, inverse, evidence)

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of the values, (k,) each, the noise included."""
        x = _inputs(self.scaling, features)
        parts = [self._predict(x[i : i + ROWS_AT_ONCE]) for i in range(0, len(x), ROWS_AT_ONCE)]
        mean, variance = (np.concatenate(part) for part in zip(*parts, strict=True))
        return self.scaling.unscaled(mean, np.sqrt(variance))

    def joint(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean (k,) and covariance (k, k) of the noiseless values at (k, d)."""
        x = _inputs(self.scaling, features)
        cross = self.kernel(x, self.rows)
        covariance = self.kernel(x, x) - cross @ self.inverse @ cross.T
        mean = cross @ self.solved + self.kernel.mean
        scale = self.scaling.value_std
        return mean * scale + self.scaling.value_mean, covariance * scale**2

    def _predict(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        cross = self.kernel(x, self.rows)
        explained = np.einsum("ij,ij->i", cross @ self.inverse, cross)
        left = np.maximum(self.kernel.variance(x) - explained, 0.0)
        return cross @ self.solved + self.kernel.mean, left + self.kernel.noise


def _inputs(scaling: Standardisation, features: FloatArray) -> FloatArray:
    """Return standardised descriptors, over the root of their number: of length one on average."""
    return scaling.features(features) / math.sqrt(max(int(scaling.varies.sum()), 1))


def _fitted(x: Tensor, y: Tensor) -> Kernel:
    linear = ScaleKernel(LinearKernel(), outputscale_prior=GammaPrior(1.1, 0.2))
    bent = ScaleKernel(
        MaternKernel(nu=2.5, lengthscale_prior=LogNormalPrior(0.0, 1.0)),
        outputscale_prior=GammaPrior(1.1, 0.5),
    )
    linear.base_kernel.variance = 1.0
    linear.base_kernel.raw_variance.requires_grad_(False)
    likelihood = GaussianLikelihood(noise_prior=LogNormalPrior(-5.0, 2.0))
    likelihood.noise = 1e-2
    gp = SingleTaskGP(
        x, y[:, None], likelihood=likelihood, covar_module=linear + bent, outcome_transform=None
    )
    fit_gpytorch_mll(
        ExactMarginalLogLikelihood(gp.likelihood, gp),
        optimizer_kwargs={"options": {"maxiter": FIT_ITERATIONS}},
    )
    return Kernel(
        linear=float(linear.outputscale),
        bent=float(bent.outputscale),
        length=float(bent.base_kernel.lengthscale),
        noise=float(likelihood.noise),
        mean=float(gp.mean_module.constant),
    )


def _telling_rows(values: FloatArray, most: int) -> IntArray:
    """Return at most so many rows, in their order: half of them the most extreme, the others spread
    evenly over the rest."""
    n = len(values)
    if n <= most:
        return np.arange(n)
    extreme = np.argsort(-np.abs(values - np.median(values)), kind="stable")[: most // 2]
    rest = np.setdiff1d(np.arange(n), extreme)
    evenly = rest[np.linspace(0, len(rest) - 1, most - len(extreme)).round().astype(int)]
    return np.union1d(extreme, evenly)
