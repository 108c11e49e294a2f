"""The batch, chosen jointly with BoTorch from candidates that were found one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
from botorch.acquisition.objective import GenericMCObjective
from botorch.models.model import Model
from botorch.posteriors import GPyTorchPosterior
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.distributions import MultitaskMultivariateNormal, MultivariateNormal
from linear_operator.operators import DenseLinearOperator
from torch import Tensor

from alloop.campaigns.objectives import Constraint, Objective
from alloop.loop.choose.fidelity import FidelityMaps, composed
from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.choose.search.aimed import aimed
from alloop.loop.choose.search.evidence import Surrogates
from alloop.loop.state.ranking.pareto import front_order
from alloop.loop.state.ranking.utility import AUGMENTATION, Utility

MC_SAMPLES = 128
"""Number of quasi-Monte Carlo samples behind each expected improvement."""
JITTER = 1e-7
"""Least eigenvalue of a covariance over its largest."""
MAX_BASELINE = 24
"""Most measured candidates that an improvement is counted from: the best predicted."""
MC_SAMPLES_OF_MANY, MAX_BASELINE_OF_MANY = 16, 12
"""Both with more than two objectives: each sample has a front of its own, whose many cells are made
anew with every choice."""


class ListedModel(Model):
    """The joint posterior of the properties at some listed rows, as a BoTorch model.

    Its inputs are places in the list, shape (…, q, 1): the posterior is computed once.

    Args:
        surrogates: of the first tier's values.
        features: of the rows, shape (n, d).
        lines: to the tier whose values the posterior is of; none for the first.
    """

    def __init__(
        self, surrogates: Surrogates, features: FloatArray, lines: FidelityMaps = ()
    ) -> None:
        super().__init__()
        self._means, self._covariances = [], []
        fractions = surrogates.fractions(features)
        for name, chosen, columns, scale in zip(
            surrogates.property_names,
            surrogates.chosen,
            surrogates.columns,
            surrogates.interval_scales,
            strict=True,
        ):
            mean, covariance = chosen.surrogate.joint(features[:, columns])
            offsets, slope = composed(lines, name, fractions)
            self._means.append(torch.from_numpy(offsets + slope * mean))
            self._covariances.append(torch.from_numpy(_definite(covariance) * (scale * slope) ** 2))

    @property
    def num_outputs(self) -> int:
        """Number of properties."""
        return len(self._means)

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
        """Return the joint posterior of the noiseless properties at places (…, q, 1)."""
        del output_indices, observation_noise, posterior_transform
        # Where no draw is feasible BoTorch looks a tenth beyond the first and last place, too.
        places = X[..., 0].long().clamp(0, len(self._means[0]) - 1)
        # Lazily: BoTorch asks for variances at mixtures of places too, and there may be equal ones.
        normals = [
            MultivariateNormal(
                mean[places],
                DenseLinearOperator(covariance[places[..., :, None], places[..., None, :]]),
            )
            for mean, covariance in zip(self._means, self._covariances, strict=True)
        ]
        if len(normals) == 1:
            return GPyTorchPosterior(normals[0])
        return GPyTorchPosterior(MultitaskMultivariateNormal.from_independent_mvns(normals))


def _definite(covariance: FloatArray) -> FloatArray:
    """Return the nearest covariance whose eigenvalues are safely positive: those of neighbours that
    are nearly equal come out negative by rounding."""
    values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
    least = JITTER * max(float(values[-1]), 1e-12)
    definite: FloatArray = (vectors * np.maximum(values, least)) @ vectors.T
    return definite


@dataclass(frozen=True)
class JointAcquisition:
    """Acquisition of sets of candidates, each named by its row."""

    function: qLogNoisyExpectedImprovement | qLogNoisyExpectedHypervolumeImprovement
    first: int
    """Place of the first candidate in the model's list, behind the baseline."""

    def __call__(self, rows: Sequence[int]) -> Tensor:
        """Return the acquisition of each row alone, beside what is pending, shape (n,)."""
        return self.function(self._places(rows).unsqueeze(1))

    def set_pending(self, rows: Sequence[int]) -> None:
        """Count these rows as measured soon."""
        self.function.set_X_pending(self._places(rows) if rows else None)

    def _places(self, rows: Sequence[int]) -> Tensor:
        return torch.tensor(rows, dtype=torch.float64)[:, None] + self.first


def joint_acquisition(
    surrogates: Surrogates,
    baseline: FloatArray,
    candidates: FloatArray,
    utility: Utility,
    *,
    seed: int,
    lines: FidelityMaps = (),
) -> JointAcquisition:
    """Return the logarithm of the noisy expected improvement of the campaign's utility or, where
    the Pareto front is sought, of its hypervolume (qLogNEHVI: Daulton, Balandat and Bakshy, NeurIPS
    2021; Ament et al., NeurIPS 2023), in the objectives' scales. While nothing is predicted to
    reach the reference point, it is the improvement of the achievement, which leads there.

    Args:
        surrogates: of the first tier's values.
        baseline: features of what was measured, shape (n, d).
        candidates: features of what may be chosen, shape (k, d).
        utility: what is good.
        seed: of the draws.
        lines: to the tier whose values are to be improved; none for the first.
    """
    column = {name: i for i, name in enumerate(surrogates.property_names)}

    def scaled(samples: Tensor, X: Tensor | None = None) -> Tensor:
        terms = [
            utility_of(o, samples[..., column[o.property]]) / scale
            for o, scale in zip(utility.spec.objectives, utility.scales, strict=True)
        ]
        return torch.stack(terms, dim=-1)

    is_plane = len(utility.scales) <= 2
    n_samples = MC_SAMPLES if is_plane else MC_SAMPLES_OF_MANY
    n_baseline = MAX_BASELINE if is_plane else MAX_BASELINE_OF_MANY
    reference = torch.tensor(utility.scaled_reference, dtype=torch.float64)
    weights = torch.tensor([o.weight for o in utility.spec.objectives], dtype=torch.float64)
    constraints = [
        violation
        for constraint in utility.spec.constraints
        for violation in _violations(column[constraint.property], constraint)
    ] or None

    def total(samples: Tensor, X: Tensor | None = None) -> Tensor:
        found = scaled(samples)
        if not utility.seeks_front:
            return found @ weights
        gains = found - reference
        return gains.min(dim=-1).values + AUGMENTATION * gains.mean(dim=-1)

    with torch.no_grad():
        expected = aimed(surrogates.predict(baseline), lines, surrogates.fractions(baseline)).mean
        means = torch.from_numpy(expected)
        names = surrogates.property_names
        rows = [dict(zip(names, row, strict=True)) for row in means.tolist()]
        widens_front = utility.seeks_front and any(map(utility.reaches, rows))
        if widens_front:
            best = np.array(front_order(utility, rows)[:n_baseline], dtype=np.int64)
        else:
            best = np.argsort(-total(means).numpy(), kind="stable")[:MAX_BASELINE]
    model = ListedModel(surrogates, np.vstack([baseline[best], candidates]), lines)
    places = torch.arange(len(best), dtype=torch.float64)[:, None]
    function: qLogNoisyExpectedImprovement | qLogNoisyExpectedHypervolumeImprovement
    if widens_front:
        function = qLogNoisyExpectedHypervolumeImprovement(
            model=model,
            ref_point=reference,
            X_baseline=places,
            sampler=SobolQMCNormalSampler(torch.Size([n_samples]), seed=seed),
            objective=GenericMCMultiOutputObjective(scaled),
            constraints=constraints,
            prune_baseline=False,
            cache_root=False,
        )
    else:
        function = qLogNoisyExpectedImprovement(
            model=model,
            X_baseline=places,
            sampler=SobolQMCNormalSampler(torch.Size([MC_SAMPLES]), seed=seed),
            objective=GenericMCObjective(total),
            constraints=constraints,
            prune_baseline=False,
            cache_root=False,
        )
    return JointAcquisition(function, len(best))


@dataclass(frozen=True)
class Choice:
    """Batch chosen among candidates, with every candidate's score."""

    order: tuple[int, ...]
    """Rows of the chosen candidates, first choice first."""
    scores: tuple[float, ...]
    """Acquisition score of every row: when it was chosen; of the others, together with the whole
    batch."""


def choose_batch(acquisition: JointAcquisition, n: int, batch: int) -> Choice:
    """Choose a batch greedily, each choice counting the ones before as pending.

    Args:
        acquisition: of the candidates.
        n: number of candidates.
        batch: how many to choose at most.
    """
    order: list[int] = []
    scores = torch.full((n,), -torch.inf, dtype=torch.float64)
    with torch.no_grad():
        for _ in range(min(batch, n)):
            rest = [row for row in range(n) if row not in order]
            acquisition.set_pending(order)
            scores[rest] = acquisition(rest)
            order.append(rest[int(scores[rest].argmax())])
    return Choice(tuple(order), tuple(scores.tolist()))


def utility_of(objective: Objective, values: Tensor) -> Tensor:
    """Return the utility of an objective at values of any shape, differentiable; more is better."""
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
