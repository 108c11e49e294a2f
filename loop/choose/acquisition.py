"""Bayesian optimisation with BoTorch: surrogate, acquisition, trust region, choice of a batch.

The surrogate is a Gaussian process over the model's embedding of what was measured. The
acquisition (noisy expected improvement, in logarithms, with the campaign's constraints) is
climbed twice: over latent points, to find where to decode, and over decoded candidates, to
choose which to measure.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from botorch.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.fit import fit_gpytorch_mll
from botorch.generation.gen import gen_candidates_scipy
from botorch.models import SingleTaskGP
from botorch.models.transforms import Normalize, Standardize
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood
from torch import Tensor

from alloop.campaigns.objectives import Constraint, Objective
from alloop.loop.choose.fidelity import FidelityMaps, composed
from alloop.loop.state.utility import Utility

MC_SAMPLES = 128
"""Number of quasi-Monte Carlo samples behind each expected improvement."""
MIN_LATENT_EXTENT = 1e-3
"""Least extent of a latent coordinate, so that latents that never vary may still move."""

SHORTLIST = 512
"""Candidates that a batch is chosen from jointly: the best by their own scores."""

Embed = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Surrogate:
    """Gaussian process from embeddings to the properties that objectives and constraints name."""

    gp: SingleTaskGP
    property_names: tuple[str, ...]
    embeddings: Tensor
    """Embeddings of everything measured, shape (n, m)."""

    def posterior(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, each (k, p), in the properties' units."""
        with torch.no_grad():
            posterior = self.gp.posterior(embeddings)
            return posterior.mean, posterior.variance.sqrt()


def fit_surrogate(embeddings: Tensor, values: Tensor, property_names: tuple[str, ...]) -> Surrogate:
    """Return a Gaussian process fitted by maximum marginal likelihood, in float64.

    Args:
        embeddings: shape (n, m).
        values: shape (n, p), in the properties' units; standardised inside.
        property_names: the p names.
    """
    embeddings, values = embeddings.double(), values.double()
    gp = SingleTaskGP(
        embeddings,
        values,
        input_transform=Normalize(d=embeddings.shape[-1]),
        outcome_transform=Standardize(m=values.shape[-1]),
    )
    fit_gpytorch_mll(ExactMarginalLogLikelihood(gp.likelihood, gp))
    return Surrogate(gp.eval(), property_names, embeddings)


def acquisition_function(
    surrogate: Surrogate, utility: Utility, *, seed: int, lines: FidelityMaps = ()
) -> qLogNoisyExpectedImprovement:
    """Return the logarithm of the noisy expected improvement of the campaign's utility.

    Args:
        surrogate: of the first tier's values.
        utility: what is good.
        seed: of the draws.
        lines: to the tier whose values are to be improved; none for the first.
    """
    column = {name: i for i, name in enumerate(surrogate.property_names)}
    objectives = [(column[o.property], o) for o in utility.spec.objectives]
    maps = [composed(lines, name) for name in surrogate.property_names]
    offsets, slopes = torch.tensor(maps, dtype=torch.float64).T

    def seen(samples: Tensor) -> Tensor:
        return offsets + slopes * samples

    def total(samples: Tensor, X: Tensor | None = None) -> Tensor:
        samples = seen(samples)
        terms = [
            o.weight * _utility(samples[..., i], o) / scale
            for (i, o), scale in zip(objectives, utility.scales, strict=True)
        ]
        return torch.stack(terms).sum(dim=0)

    return qLogNoisyExpectedImprovement(
        model=surrogate.gp,
        X_baseline=surrogate.embeddings,
        sampler=SobolQMCNormalSampler(torch.Size([MC_SAMPLES]), seed=seed),
        objective=GenericMCObjective(total),
        constraints=[
            lambda samples, violation=violation: violation(seen(samples))
            for c in utility.spec.constraints
            for violation in _violations(column[c.property], c)
        ]
        or None,
        prune_baseline=True,
    )


def climb(
    acquisition: AcquisitionFunction,
    embed: Embed,
    starts: Tensor,
    lower: Tensor,
    upper: Tensor,
    *,
    max_iterations: int,
) -> Tensor:
    """Return latent points with a higher acquisition than the starts, inside their own boxes.

    Args:
        acquisition: over embeddings.
        embed: from latent points to embeddings, differentiable.
        starts: shape (k, d).
        lower: lower corners of the trust regions, shape (k, d).
        upper: upper corners, shape (k, d).
        max_iterations: of L-BFGS-B.
    """
    candidates, _ = gen_candidates_scipy(
        initial_conditions=starts.double().unsqueeze(1),
        acquisition_function=_OverLatents(acquisition, embed),
        lower_bounds=lower.double().unsqueeze(1),
        upper_bounds=upper.double().unsqueeze(1),
        options={"maxiter": max_iterations},
        use_parallel_mode=False,  # the parallel mode knows one box for all
    )
    return candidates.squeeze(1).detach()


def trust_region(centres: Tensor, measured: Tensor, edge: float) -> tuple[Tensor, Tensor]:
    """Return lower and upper corners of a box around each centre, shape (k, d).

    Args:
        centres: shape (k, d).
        measured: latent points of everything measured, shape (n, d); their extent along each
            coordinate is the unit of ``edge``.
        edge: length of the box's edges.
    """
    extent = (measured.amax(dim=0) - measured.amin(dim=0)).clamp_min(MIN_LATENT_EXTENT)
    return centres - 0.5 * edge * extent, centres + 0.5 * edge * extent


@dataclass(frozen=True)
class Choice:
    """Batch chosen among candidates, with every candidate's score."""

    order: tuple[int, ...]
    """Rows of the chosen candidates, first choice first."""
    scores: tuple[float, ...]
    """Acquisition score of every row: when it was chosen; of the shortlist's other rows, together
    with the whole batch; of all others, alone."""


def choose_batch(
    acquisition: qLogNoisyExpectedImprovement, embeddings: Tensor, batch: int
) -> Choice:
    """Choose a batch greedily, each choice counting the ones before as pending.

    All candidates are scored alone; only the ``SHORTLIST`` best of them are scored again after each
    choice, since a candidate gains no more beside others than alone.

    Args:
        acquisition: over embeddings.
        embeddings: of the candidates, shape (k, m).
        batch: how many to choose at most.
    """
    embeddings = embeddings.double()
    order: list[int] = []
    n_listed = min(max(SHORTLIST, batch), len(embeddings))
    with torch.no_grad():
        acquisition.set_X_pending(None)
        parts = [acquisition(part.unsqueeze(1)) for part in embeddings.split(SHORTLIST)]
        scores = torch.cat(parts)
        # In the order of the rows, so that equals are decided as they would be among all.
        rest = sorted(scores.topk(n_listed).indices.tolist())
        for _ in range(min(batch, len(embeddings))):
            if order:
                acquisition.set_X_pending(embeddings[order])
                scores[rest] = acquisition(embeddings[rest].unsqueeze(1))
            best = rest[int(scores[rest].argmax())]
            order.append(best)
            rest.remove(best)
    return Choice(tuple(order), tuple(scores.tolist()))


class _OverLatents(AcquisitionFunction):
    """Acquisition over latent points, composed of an embedding and an acquisition over
    embeddings."""

    def __init__(self, inner: AcquisitionFunction, embed: Embed) -> None:
        super().__init__(model=inner.model)
        self.inner, self.embed = inner, embed

    def forward(self, X: Tensor) -> Tensor:
        """Return the acquisition at latent points of shape (k, 1, d)."""
        return self.inner(self.embed(X))


def _utility(values: Tensor, objective: Objective) -> Tensor:
    if objective.goal == "window":
        assert objective.window is not None
        low, high = objective.window
        return -torch.relu(torch.maximum(low - values, values - high))
    return values if objective.goal == "maximise" else -values


def _violations(i: int, constraint: Constraint) -> list[Callable[[Tensor], Tensor]]:
    """Return functions of samples (…, p) that are positive where the constraint is broken."""
    found: list[Callable[[Tensor], Tensor]] = []
    if (low := constraint.min) is not None:
        found.append(lambda samples: low - samples[..., i])
    if (high := constraint.max) is not None:
        found.append(lambda samples: samples[..., i] - high)
    return found
