"""The batch, chosen jointly with BoTorch from candidates that were found one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.models.model import Model
from botorch.posteriors import GPyTorchPosterior
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.distributions import MultitaskMultivariateNormal, MultivariateNormal
from torch import Tensor

from alloop.campaigns.objectives import Constraint, Objective
from alloop.loop.choose.fidelity import FidelityMaps, composed
from alloop.loop.choose.search.base import FloatArray
from alloop.loop.choose.search.evidence import Surrogates
from alloop.loop.state.utility import Utility

MC_SAMPLES = 128
"""Number of quasi-Monte Carlo samples behind each expected improvement."""
JITTER = 1e-6
"""Added to the diagonal of covariances, over their mean: neighbours are nearly equal."""
MAX_BASELINE = 48
"""Most measured candidates that an improvement is counted from: the best predicted."""


class SurrogateModel(Model):
    """The campaign's surrogates as a BoTorch model; its inputs are their features."""

    def __init__(self, surrogates: Surrogates) -> None:
        super().__init__()
        self._surrogates = surrogates

    @property
    def num_outputs(self) -> int:
        """Number of properties."""
        return len(self._surrogates.property_names)

    @property
    def batch_shape(self) -> torch.Size:
        """Batch shape of the model itself: none."""
        return torch.Size([])

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: Any = None,
    ) -> GPyTorchPosterior:
        """Return the joint posterior of the noiseless properties at features (…, q, d)."""
        del output_indices, observation_noise, posterior_transform
        features = X.detach().double().numpy()
        normals = []
        for chosen, columns, scale in zip(
            self._surrogates.chosen,
            self._surrogates.columns,
            self._surrogates.scales,
            strict=True,
        ):
            mean, covariance = chosen.surrogate.joint(features[..., columns])
            diagonal = np.einsum("...ii->...i", covariance).mean(axis=-1)[..., None, None]
            jitter = JITTER * np.maximum(diagonal, 1e-12) * np.eye(covariance.shape[-1])
            normals.append(
                MultivariateNormal(
                    torch.from_numpy(mean), torch.from_numpy((covariance + jitter) * scale**2)
                )
            )
        if len(normals) == 1:
            return GPyTorchPosterior(normals[0])
        return GPyTorchPosterior(MultitaskMultivariateNormal.from_independent_mvns(normals))


def joint_acquisition(
    surrogates: Surrogates,
    baseline: FloatArray,
    utility: Utility,
    *,
    seed: int,
    lines: FidelityMaps = (),
) -> qLogNoisyExpectedImprovement:
    """Return the logarithm of the noisy expected improvement of the campaign's utility.

    Args:
        surrogates: of the first tier's values.
        baseline: features of what was measured, shape (n, d).
        utility: what is good.
        seed: of the draws.
        lines: to the tier whose values are to be improved; none for the first.
    """
    column = {name: i for i, name in enumerate(surrogates.property_names)}
    maps = [composed(lines, name) for name in surrogates.property_names]
    offsets, slopes = torch.tensor(maps, dtype=torch.float64).T

    def seen(samples: Tensor) -> Tensor:
        return offsets + slopes * samples

    def total(samples: Tensor, X: Tensor | None = None) -> Tensor:
        samples = seen(samples)
        terms = [
            o.weight * _utility(samples[..., column[o.property]], o) / scale
            for o, scale in zip(utility.spec.objectives, utility.scales, strict=True)
        ]
        return torch.stack(terms).sum(dim=0)

    model = SurrogateModel(surrogates)
    with torch.no_grad():
        means = torch.from_numpy(surrogates.predict(baseline).mean)
        order = total(means[:, None]).flatten().argsort(descending=True)
    return qLogNoisyExpectedImprovement(
        model=model,
        X_baseline=torch.from_numpy(baseline)[order[:MAX_BASELINE]],
        sampler=SobolQMCNormalSampler(torch.Size([MC_SAMPLES]), seed=seed),
        objective=GenericMCObjective(total),
        constraints=[
            lambda samples, violation=violation: violation(seen(samples))
            for constraint in utility.spec.constraints
            for violation in _violations(column[constraint.property], constraint)
        ]
        or None,
        prune_baseline=False,
        cache_root=False,
    )


@dataclass(frozen=True)
class Choice:
    """Batch chosen among candidates, with every candidate's score."""

    order: tuple[int, ...]
    """Rows of the chosen candidates, first choice first."""
    scores: tuple[float, ...]
    """Acquisition score of every row: when it was chosen; of the others, together with the whole
    batch."""


def choose_batch(
    acquisition: qLogNoisyExpectedImprovement, features: FloatArray, batch: int
) -> Choice:
    """Choose a batch greedily, each choice counting the ones before as pending.

    Args:
        acquisition: over features.
        features: of the candidates, shape (k, d).
        batch: how many to choose at most.
    """
    points = torch.from_numpy(features)
    order: list[int] = []
    scores = torch.full((len(points),), -torch.inf, dtype=torch.float64)
    with torch.no_grad():
        for _ in range(min(batch, len(points))):
            rest = [row for row in range(len(points)) if row not in order]
            acquisition.set_X_pending(points[order] if order else None)
            scores[rest] = acquisition(points[rest].unsqueeze(1))
            order.append(rest[int(scores[rest].argmax())])
    return Choice(tuple(order), tuple(scores.tolist()))


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
