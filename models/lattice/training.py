"""Training of the autoencoder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from alloop.models.lattice.network import Autoencoder

LABEL_SMOOTHING = 0.1
"""Share of each site's target spread evenly over all elements.

A decoder trained towards certainty is flat around what it encodes: no gradient would tell an
optimiser which site to change. Trained towards 1 − LABEL_SMOOTHING it keeps a slope, and
``sharpened`` undoes the smoothing.
"""

KL_WEIGHT = 0.1
"""Weight of the Kullback–Leibler term against the cross-entropy, both per site. It makes the
elements' codes equally far from each other, at about five times the posterior's width."""


@dataclass(frozen=True)
class LatticeLosses:
    """Loss terms, means over the last epoch, per site, in nats."""

    cross_entropy: float
    kl: float


def train_autoencoder(
    network: Autoencoder,
    codes: Tensor,
    lattices: Tensor,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    on_epoch: Callable[[int], None],
) -> LatticeLosses:
    """Maximise the evidence bound on decorations by Adam, its rate falling along a cosine.

    Args:
        network: changed in place.
        codes: element indices, shape (n, N).
        lattices: lattice indices, shape (n,).
        epochs: passes over all rows.
        batch_size: rows per step.
        learning_rate: at the start.
        on_epoch: called with the number of epochs done.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        sums = torch.zeros(2)
        for rows in _batches(len(codes), batch_size):
            cross_entropy, kl = _terms(network, codes[rows], lattices[rows])
            optimiser.zero_grad()
            (cross_entropy + KL_WEIGHT * kl).backward()
            optimiser.step()
            sums += torch.stack([cross_entropy, kl]).detach() * len(rows)
        schedule.step()
        on_epoch(epoch + 1)
    cross_entropy, kl = (sums / len(codes)).tolist()
    return LatticeLosses(cross_entropy, kl)


def sharpened(probabilities: Tensor) -> Tensor:
    """Undo the label smoothing, so that a decoration's probabilities become nearly one-hot.

    Args:
        probabilities: shape (..., E). The result sums to one too, but may leave [0, 1] a little.
    """
    floor = LABEL_SMOOTHING / probabilities.shape[-1]
    return (probabilities - floor) / (1 - LABEL_SMOOTHING)


def _terms(network: Autoencoder, codes: Tensor, lattices: Tensor) -> tuple[Tensor, Tensor]:
    """Return cross-entropy and Kullback–Leibler divergence, means per site."""
    mean, log_variance = network.posterior(codes, lattices)
    latents = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
    logits = network.decoder(latents)
    cross_entropy = F.cross_entropy(
        logits.flatten(0, 1), codes.flatten(), label_smoothing=LABEL_SMOOTHING
    )
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=-1).mean()
    return cross_entropy, kl


def _batches(n: int, size: int) -> Iterator[Tensor]:
    yield from torch.randperm(n).split(size)
