"""Training of the autoencoder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from alloop.models.lattice.network import Autoencoder

LABEL_SMOOTHING = 0.1
"""Share of each site's target spread evenly over all species it may hold.

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


def sharpened(probabilities: Tensor, allowed: Tensor) -> Tensor:
    """Undo the label smoothing, so that a decoration's probabilities become nearly one-hot.

    Args:
        probabilities: shape (..., N, E). The result sums to one too, but may leave [0, 1] a little.
        allowed: whether a site may hold a species, shape (N, E).
    """
    floor = _smoothing(allowed).to(probabilities.dtype)
    return (probabilities - floor) / (1 - LABEL_SMOOTHING)


def _smoothing(allowed: Tensor) -> Tensor:
    """Return the share of the target that every species of a site has, shape (N, E)."""
    share = LABEL_SMOOTHING / allowed.double().sum(dim=-1, keepdim=True)
    return torch.where(allowed, share, 0.0)


def _terms(network: Autoencoder, codes: Tensor, lattices: Tensor) -> tuple[Tensor, Tensor]:
    """Return cross-entropy and Kullback–Leibler divergence, means per site."""
    mean, log_variance = network.posterior(codes, lattices)
    latents = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
    logits = network.decoder(latents)
    if network.allowed.all():
        cross_entropy = F.cross_entropy(
            logits.flatten(0, 1), codes.flatten(), label_smoothing=LABEL_SMOOTHING
        )
    else:
        log_probabilities = F.log_softmax(logits + network.logit_bias, dim=-1)
        floor = _smoothing(network.allowed).to(logits.dtype)
        target = (1 - LABEL_SMOOTHING) * F.one_hot(codes, logits.shape[-1]) + floor
        cross_entropy = -(target * log_probabilities).sum(dim=-1).mean()
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=-1).mean()
    return cross_entropy, kl


def _batches(n: int, size: int) -> Iterator[Tensor]:
    yield from torch.randperm(n).split(size)
