"""Training: reconstruction, Kullback–Leibler divergence, and properties where known (Eq. 3)."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from alloop.models.ftcp.augmentation import symmetry_copies
from alloop.models.ftcp.networks.network import FtcpNetwork
from alloop.models.ftcp.options import DirectNetwork, PublishedNetwork
from alloop.models.ftcp.representation.crystals import CrystalArrays
from alloop.models.ftcp.representation.matrix import to_matrices
from alloop.models.ftcp.targets import TargetBranch

MAX_GRADIENT_NORM = 50.0
"""Gradient norm at which gradients of the direct network are clipped."""
KL_WARM_UP = 0.3
"""Share of the direct network's training in which the weight of the divergence rises."""
REFIT_RATE = 0.3
"""Factor of the direct network's learning rate when it continues from earlier weights."""
MIN_SCHEDULE_STEPS = 20
"""Least number of steps in the direct network's schedule, though fewer are taken: a shorter
schedule cannot rise."""
PUBLISHED_RATES = ((0, 5e-4), (50, 1e-4), (100, 5e-5))
"""RMSprop learning rates, each with the epoch from which it holds."""


@dataclass(frozen=True)
class LabelledCrystals:
    """Training crystals with scaled labels and weights."""

    crystals: CrystalArrays
    labels: Tensor
    """Labels scaled to [0, 1], shape (n, p); NaN where not known or kept back."""
    weights: Tensor
    """Bootstrap weights of every head for every row, shape (M, n)."""
    factors: Tensor
    """Factors on each property's squared errors, shape (p,)."""


@dataclass(frozen=True)
class FtcpLosses:
    """Loss terms, means per crystal over the last epoch, unweighted."""

    reconstruction: float
    kl: float
    """Kullback–Leibler divergence, nats, summed over latents."""
    property: float


def train(
    network: FtcpNetwork,
    branch: TargetBranch,
    options: PublishedNetwork | DirectNetwork,
    rows: LabelledCrystals,
    *,
    is_refit: bool,
    augment: bool,
    rng: np.random.Generator,
    on_epoch: Callable[[int, int], None],
) -> tuple[FtcpLosses, int]:
    """Train both together and return the last losses and the number of epochs.

    Args:
        network: changed in place.
        branch: changed in place.
        options: of this kind of network.
        rows: training crystals and labels.
        is_refit: whether the network was trained before.
        augment: whether crystals are described anew in every epoch.
        rng: for the order of rows and for augmentation; the rest draws from torch's global one.
        on_epoch: called with the epochs done and their number in all.
    """
    n_batches = math.ceil(len(rows.crystals) / options.batch_size)
    epochs = _epochs(options, n_batches, is_refit)
    modules = nn.ModuleList([network, branch])
    optimiser, step = _optimiser(modules, options, epochs * n_batches, is_refit)
    losses = FtcpLosses(math.nan, math.nan, math.nan)
    modules.train()
    for epoch in range(epochs):
        sums = torch.zeros(3)
        for picked in _batches(len(rows.crystals), options.batch_size, rng):
            terms = _terms(network, branch, rows, picked, rng if augment else None)
            optimiser.zero_grad()
            _objective(terms, options, 1.0 if is_refit else epoch / epochs).backward()
            step(epoch)
            sums += torch.stack(terms.sums()).detach()
        losses = FtcpLosses(*(sums / len(rows.crystals)).tolist())
        on_epoch(epoch + 1, epochs)
    modules.eval()
    return losses, epochs


@dataclass(frozen=True)
class _Terms:
    """Loss terms of one batch of n crystals."""

    reconstruction: Tensor
    """Reconstruction loss of each crystal, shape (n,)."""
    kl: Tensor
    """Kullback–Leibler divergence of each latent, nats, shape (n, d)."""
    property: Tensor
    """Property loss: sum over crystals and properties, mean over heads."""

    def sums(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.reconstruction.sum(), self.kl.sum(), self.property


def _terms(
    network: FtcpNetwork,
    branch: TargetBranch,
    rows: LabelledCrystals,
    picked: np.ndarray,
    augmenting: np.random.Generator | None,
) -> _Terms:
    crystals = rows.crystals[picked]
    if augmenting is not None:
        crystals = symmetry_copies(crystals, augmenting)
    matrices = torch.from_numpy(to_matrices(crystals, network.size))
    mean, log_variance = network.posterior(matrices)
    z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
    labels = rows.labels[picked]
    known = labels.isfinite()
    errors = (branch(mean) - labels.nan_to_num()).square() * known * rows.factors  # (M, n, p)
    weighted = errors.sum(dim=2) * rows.weights[:, picked]
    return _Terms(
        reconstruction=network.reconstruction_loss(z, matrices),
        kl=0.5 * (mean.square() + log_variance.exp() - 1 - log_variance),
        property=weighted.mean(dim=0).sum(),
    )


def _objective(terms: _Terms, options: PublishedNetwork | DirectNetwork, progress: float) -> Tensor:
    reconstruction, kl, property = terms.sums()
    if isinstance(options, PublishedNetwork):  # sums over the batch, but a mean divergence
        return (
            reconstruction
            + options.kl_weight * terms.kl.mean()
            + options.property_weight * property
        )
    kl_weight = options.kl_weight * min(1.0, progress / KL_WARM_UP)
    total = reconstruction + kl_weight * kl + options.property_weight * property
    return total / len(terms.reconstruction)


def _epochs(options: PublishedNetwork | DirectNetwork, n_batches: int, is_refit: bool) -> int:
    if isinstance(options, PublishedNetwork):
        return options.refit_epochs if is_refit else options.epochs
    return math.ceil((options.refit_steps if is_refit else options.steps) / n_batches)


def _optimiser(
    modules: nn.ModuleList,
    options: PublishedNetwork | DirectNetwork,
    n_steps: int,
    is_refit: bool,
) -> tuple[torch.optim.Optimizer, Callable[[int], None]]:
    """Return an optimiser and the step function that is called with the epoch once gradients are
    there."""
    if isinstance(options, PublishedNetwork):
        # Keras' defaults, with which the rates were published
        rmsprop = torch.optim.RMSprop(modules.parameters(), lr=1.0, alpha=0.9, eps=1e-7)

        def published(epoch: int) -> None:
            rate = [rate for first, rate in PUBLISHED_RATES if first <= epoch or is_refit][-1]
            rmsprop.param_groups[0]["lr"] = rate
            rmsprop.step()

        return rmsprop, published
    rate = options.learning_rate * (REFIT_RATE if is_refit else 1.0)
    adam = torch.optim.AdamW(modules.parameters(), lr=rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        adam, rate, total_steps=max(n_steps, MIN_SCHEDULE_STEPS), pct_start=0.1
    )

    def direct(epoch: int) -> None:
        del epoch
        nn.utils.clip_grad_norm_(modules.parameters(), MAX_GRADIENT_NORM)
        adam.step()
        schedule.step()

    return adam, direct


def _batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    order = rng.permutation(n)
    for start in range(0, n, size):
        yield order[start : start + size]
