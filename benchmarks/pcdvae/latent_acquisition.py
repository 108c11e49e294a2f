"""Bayesian optimisation in the latent space itself, to compare the loop's search with."""

from collections.abc import Callable

import torch
from botorch.acquisition import AcquisitionFunction, LogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.generation.gen import gen_candidates_scipy
from botorch.models import SingleTaskGP
from botorch.models.transforms import Normalize, Standardize
from gpytorch.mlls import ExactMarginalLogLikelihood
from torch import Tensor

EDGE = 0.2
"""Edge of the box around each start, in the extent of the training latents."""
ITERATIONS = 15
"""Number of iterations of L-BFGS-B."""


def climb_latents(
    embed: Callable[[Tensor], Tensor], training: Tensor, values: Tensor, starts: Tensor
) -> Tensor:
    """Return the starts climbed by expected improvement, each within a box of its own.

    Args:
        embed: from latent points to what the Gaussian process sees, differentiable.
        training: latent points, shape (n, d).
        values: to be maximised, shape (n,).
        starts: shape (k, d).
    """
    with torch.no_grad():
        embedded = embed(training.double())
    gp = SingleTaskGP(
        embedded,
        values.double()[:, None],
        input_transform=Normalize(d=embedded.shape[-1]),
        outcome_transform=Standardize(m=1),
    )
    fit_gpytorch_mll(ExactMarginalLogLikelihood(gp.likelihood, gp))
    extent = (training.amax(dim=0) - training.amin(dim=0)).clamp_min(1e-3).double()
    points, _ = gen_candidates_scipy(
        initial_conditions=starts.double().unsqueeze(1),
        acquisition_function=_OverLatents(LogExpectedImprovement(gp, values.max()), embed),
        lower_bounds=(starts - 0.5 * EDGE * extent).double().unsqueeze(1),
        upper_bounds=(starts + 0.5 * EDGE * extent).double().unsqueeze(1),
        options={"maxiter": ITERATIONS},
        use_parallel_mode=False,  # the parallel mode knows one box for all
    )
    return points.squeeze(1).detach().float()


class _OverLatents(AcquisitionFunction):
    def __init__(self, inner: AcquisitionFunction, embed: Callable[[Tensor], Tensor]) -> None:
        super().__init__(model=inner.model)
        self.inner, self.embed = inner, embed

    def forward(self, X: Tensor) -> Tensor:
        return self.inner(self.embed(X))
