"""A Gaussian process on descriptors: a linear part, and what bends around it.

Few hyperparameters, whatever the number of descriptors: the variances of both parts and of the
noise, and one length. They are fitted to at most ``MAX_FIT`` rows and the process is conditioned
on at most ``MAX_ROWS``, half of them those with the most extreme values, so that a round costs the
same for ten thousand labels as for two thousand.
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
from gpytorch.settings import debug
from torch import Tensor

from alloop.loop.choose.moves.base import IntArray
from alloop.loop.choose.search.base import FloatArray, Standardisation

MAX_FIT, MAX_ROWS = 400, 1500
FIT_ITERATIONS = 60


@dataclass(frozen=True)
class GaussianProcess:
    """Posterior of a Gaussian process with a linear and a Matérn kernel."""

    scaling: Standardisation
    gp: SingleTaskGP
    log_evidence: float
    """Leave-one-out log predictive density of the labels, on average, in their own units."""

    @classmethod
    def fit(cls, features: FloatArray, values: FloatArray) -> Self:
        """Return the process fitted by maximum marginal likelihood to values (n,) at (n, d)."""
        scaling = Standardisation.of(features, values)
        x = torch.from_numpy(scaling.features(features)) / math.sqrt(scaling.varies.sum() or 1)
        y = torch.from_numpy(scaling.values(values))[:, None]
        listed = _informative(values, MAX_FIT)
        gp = _process(x[listed], y[listed])
        fit_gpytorch_mll(
            ExactMarginalLogLikelihood(gp.likelihood, gp),
            optimizer_kwargs={"options": {"maxiter": FIT_ITERATIONS}},
        )
        if len(values) > MAX_FIT:
            kept = _informative(values, MAX_ROWS)
            fitted, gp = gp, _process(x[kept], y[kept])
            gp.load_state_dict(fitted.state_dict())
        gp.eval()
        return cls(scaling, gp, _leave_one_out(gp) - math.log(scaling.value_std))

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of the values, (k,) each, the noise included."""
        means, variances = [], []
        with torch.no_grad(), debug(False):
            for part in self._inputs(features).split(4096):
                posterior = self.gp.posterior(part, observation_noise=True)
                means.append(posterior.mean[:, 0])
                variances.append(posterior.variance[:, 0])
        mean, variance = torch.cat(means).numpy(), torch.cat(variances).numpy()
        return self.scaling.unscaled(mean, np.sqrt(np.maximum(variance, 1e-12)))

    def joint(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean (…, k) and covariance (…, k, k) of the noiseless values at (…, k, d)."""
        # Its debugging warns of inputs that are training rows: a baseline's are.
        with torch.no_grad(), debug(False):
            found = self.gp(self._inputs(features))
        scale = self.scaling.value_std
        mean = found.mean.numpy() * scale + self.scaling.value_mean
        return mean, found.covariance_matrix.numpy() * scale**2

    def _inputs(self, features: FloatArray) -> Tensor:
        x = torch.from_numpy(self.scaling.features(features))
        return x / math.sqrt(self.scaling.varies.sum() or 1)


def _process(x: Tensor, y: Tensor) -> SingleTaskGP:
    bent = MaternKernel(nu=2.5, lengthscale_prior=LogNormalPrior(0.0, 1.0))
    kernel = ScaleKernel(LinearKernel(), outputscale_prior=GammaPrior(1.1, 0.2)) + ScaleKernel(
        bent, outputscale_prior=GammaPrior(1.1, 0.5)
    )
    kernel.kernels[0].base_kernel.variance = 1.0
    kernel.kernels[0].base_kernel.raw_variance.requires_grad_(False)
    likelihood = GaussianLikelihood(noise_prior=LogNormalPrior(-5.0, 2.0))
    likelihood.noise = 1e-2
    return SingleTaskGP(x, y, likelihood=likelihood, covar_module=kernel, outcome_transform=None)


def _informative(values: FloatArray, most: int) -> IntArray:
    """Return at most so many rows, in their order: half of them the most
    extreme, the others spread evenly over the rest."""
    n = len(values)
    if n <= most:
        return np.arange(n)
    extreme = np.argsort(-np.abs(values - np.median(values)), kind="stable")[: most // 2]
    rest = np.setdiff1d(np.arange(n), extreme)
    evenly = rest[np.linspace(0, len(rest) - 1, most - len(extreme)).round().astype(int)]
    return np.union1d(extreme, evenly)


@torch.no_grad()
def _leave_one_out(gp: SingleTaskGP) -> float:
    """Return the mean leave-one-out log predictive density in closed form (Rasmussen and
    Williams, Gaussian Processes for Machine Learning, eq. 5.10–5.12)."""
    x, y = gp.train_inputs[0], gp.train_targets
    prior = gp.forward(x)
    covariance = gp.likelihood(prior).covariance_matrix
    inverse = torch.linalg.inv(covariance)
    variance = 1 / inverse.diagonal()
    residual = (inverse @ (y - prior.mean)) * variance
    density = -0.5 * (torch.log(2 * math.pi * variance) + residual.square() / variance)
    return float(density.mean())
