"""Gradient search in the latent space: the papers' own optimisation, as a strategy to compare with.

AlloGen (section 4.3) climbs the property head from latent points by Adam and decodes what it meets
on the way; nothing keeps the points where the decoder knows its way.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from alloop.loop.choose.draft import decode_latents
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.search.joint import utility_of
from alloop.loop.choose.strategies.batch import Batch
from alloop.loop.choose.strategies.directions import directions
from alloop.loop.choose.strategies.predicted import decide_by_prediction
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.pareto import best_first
from alloop.loop.state.ranking.utility import AUGMENTATION, Utility
from alloop.models.base import GenerativeModel, HasGradient
from alloop.seeds import derive_seed

LEARNING_RATE = 1e-3
STEPS = (200, 500, 1000, 1500, 2500)
"""Numbers of Adam steps on z after which AlloGen decodes (section 4.3)."""
COARSE = 10
"""Factor by which steps are fewer and longer for a model without a gradient, whose slopes are taken
from central differences: the way is as long, and costs a hundredth in a space of few dimensions."""
DIFFERENCE = 0.05
"""Half the distance of those differences, in the latents' own unit."""
PENALTY = 10.0
"""Loss of utility for each unit by which a constraint is predicted to be missed, both in the spread
of the labels."""

Means = Callable[[Tensor], Tensor]
"""From latent points, shape (n, d), to predicted means, shape (n, p)."""


def propose_by_latent_gradient(
    state: CampaignState, store: ArtifactStore, seen: Seen, model: GenerativeModel, *, round: int
) -> Proposed:
    """Propose what is decoded on the way up the property head, from the best that are measured.

    Of what passes the screening the best predicted are chosen; where too few pass, the batch is
    filled up at random.
    """
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    pool = state.spec.acquisition.pool
    assert pool is not None  # the spec fills it in where it counts
    best = best_first(state, state.known_answers())[: max(pool // len(STEPS), 1)]
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        starts = model.encode([store.get_material(m.candidate) for m in best])
        latents = climb_head(model, starts, predicted_utility(state, len(best))).to(torch.float32)
        checkpoint = state.models[round].checkpoint
        drafts = decode_latents(
            model, checkpoint, latents, store, space=state.spec.space, seed=seed
        )
    batch = Batch(state, seen, round)
    passed = batch.screen(drafts)
    batch.decide(decide_by_prediction(state, model, passed, seed=seed))
    batch.fill()
    return batch.proposed(
        store, {"decoded": float(len(drafts)), "passed_screening": float(len(passed))}
    )


def climb_head(
    model: GenerativeModel,
    starts: Tensor,
    utility: Callable[[Tensor], Tensor],
    *,
    steps: Sequence[int] = STEPS,
    rate: float = LEARNING_RATE,
) -> Tensor:
    """Return latent points on the way up from each start, shape (n · len(steps), d).

    Args:
        model: fitted.
        starts: latent points, shape (n, d); all after the first number of steps come first.
        utility: of predicted means (n, p), shape (n,), differentiable.
        steps: numbers of Adam steps after which points are kept, rising.
        rate: length of a step.
    """
    has_gradient = isinstance(model, HasGradient)
    coarse = 1 if has_gradient else COARSE
    points = starts.detach().clone()
    optimiser = torch.optim.Adam([points], lr=coarse * rate)
    kept = []
    for step in range(1, steps[-1] // coarse + 1):
        if isinstance(model, HasGradient):
            slope = _gradient(model.predicted_means, points, utility)
        else:
            slope = _differences(lambda z: model.predict(z).mean, points, utility)
        points.grad = -torch.nan_to_num(slope)  # a property without labels has no slope
        optimiser.step()
        if step * coarse in steps:
            kept.append(points.clone())
    return torch.cat(kept)


def predicted_utility(state: CampaignState, n_starts: int = 1) -> Callable[[Tensor], Tensor]:
    """Return the campaign's utility as a differentiable function of predicted means: (n, p) to
    (n,). Missed constraints are penalised. Where the Pareto front is sought, each start goes for
    its own part of it.

    Args:
        state: with labels.
        n_starts: number of starts; the rows of means belong to them in equal parts, in their order.
    """
    names = state.spec.property_names()
    answers, utility = state.known_answers(), state.utility
    column = {name: i for i, name in enumerate(names)}
    spreads = [float(np.std([m.properties[name] for m in answers])) or 1.0 for name in names]
    unit = float(np.std([utility.value(m.properties) for m in answers])) or 1.0
    towards = torch.tensor(directions(utility, n_starts), dtype=torch.float64)  # (n_starts, m)

    def total(means: Tensor) -> Tensor:
        value = predicted_value(utility, column, means, towards)
        for constraint in utility.spec.constraints:
            i = column[constraint.property]
            values, penalty = means[:, i], PENALTY * unit / spreads[i]
            if constraint.min is not None:
                value = value - penalty * torch.relu(constraint.min - values)
            if constraint.max is not None:
                value = value - penalty * torch.relu(values - constraint.max)
        return value

    return total


def predicted_value(
    utility: Utility, column: dict[str, int], means: Tensor, towards: Tensor
) -> Tensor:
    """Return ``Utility.value`` of predicted means, shape (n,), differentiable.

    Args:
        utility: of the campaign.
        column: of each property among the means.
        means: shape (n, p).
        towards: weights of each start, shape (n_starts, m), whose rows of means follow each other.
    """
    objectives = utility.spec.objectives
    scaled = torch.stack(
        [
            utility_of(objective, means[:, column[objective.property]]) / scale
            for objective, scale in zip(objectives, utility.scales, strict=True)
        ],
        dim=1,
    )
    if not utility.seeks_front:
        return scaled @ torch.tensor([o.weight for o in objectives], dtype=scaled.dtype)
    weights = towards.to(scaled.dtype).repeat_interleave(len(means) // len(towards), dim=0)
    gains = weights * (scaled - torch.tensor(utility.scaled_reference, dtype=scaled.dtype))
    return gains.min(dim=1).values + AUGMENTATION * gains.mean(dim=1)


def _gradient(means: Means, points: Tensor, utility: Callable[[Tensor], Tensor]) -> Tensor:
    z = points.detach().requires_grad_()
    (slope,) = torch.autograd.grad(utility(means(z)).sum(), z)
    return slope


def _differences(means: Means, points: Tensor, utility: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the slope by central differences, shape (n, d)."""
    n, d = points.shape
    shifts = DIFFERENCE * torch.eye(d, dtype=points.dtype)
    both = torch.cat([points[:, None] + shifts, points[:, None] - shifts], dim=1)  # (n, 2 d, d)
    up, down = utility(means(both.reshape(-1, d))).reshape(n, 2, d).unbind(dim=1)
    return (up - down).to(points.dtype) / (2 * DIFFERENCE)
