"""The training loss: one step of denoising, and the losses of the heads."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from alloop.models.pcdvae.networks.graph import Graph
from alloop.models.pcdvae.networks.network import (
    PcdvaeNetwork,
    cross_entropy_of_known,
    gaussian_nll,
    kl_divergence,
    masked_mean,
)
from alloop.models.pcdvae.networks.noise import NoiseDraw, nearest_image, noisy_elements
from alloop.models.pcdvae.rows import Batch

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "positions": 10.0,
        "elements": 1.0,
        "count": 1.0,
        "cell": 10.0,
        "composition": 1.0,
        "property": 1.0,
        "phase": 1.0,
        "kl": 0.01,
    }
)
"""Weights of the loss terms, AlloGen's (and CDVAE's, but for the phase)."""

LOG_VARIANCE_BOUND = 8.0
"""Bound of a property's predicted log-variance, in standardised units: keeps the exponential
finite."""


def losses(
    network: PcdvaeNetwork,
    batch: Batch,
    noise: NoiseDraw,
    generator: torch.Generator,
    *,
    k: int,
    cutoff: float,
) -> dict[str, Tensor]:
    """Return the unweighted terms of the loss.

    Args:
        network: encoder, heads, decoder.
        batch: clean rows.
        noise: for this batch.
        generator: on the CPU, for the latent point and the elements.
        k: neighbours in the noisy graph.
        cutoff: Å, likewise.
    """
    mean, log_variance = network.encoder(batch.graph, batch.seen_species)
    mean, log_variance = mean.float(), log_variance.float()
    unit = torch.randn(mean.shape, generator=generator).to(mean.device)
    z = mean + unit * torch.exp(0.5 * log_variance)
    read = network.heads(z)
    terms = {
        "count": F.cross_entropy(read.count, batch.count),
        "cell": F.mse_loss(read.cell, (batch.cell_code - network.cell_mean) / network.cell_std),
        "composition": _per_crystal(
            batch.graph,
            F.cross_entropy(read.composition[batch.graph.crystal], batch.species, reduction="none"),
        ),
        "property": _property_loss(network, read.property_mean, read.property_log_variance, batch),
        "phase": cross_entropy_of_known(read.phase, batch.phase),
        "kl": kl_divergence(mean, log_variance).mean(),
    }
    composition = read.composition.detach().float().softmax(dim=1)
    told = torch.where(batch.phase >= 0, batch.phase, read.phase.argmax(dim=1))
    return terms | _denoising(network, batch, noise, generator, z, composition, told, k, cutoff)


def total(terms: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of the terms, weighted by ``WEIGHTS``."""
    return torch.stack([WEIGHTS[name] * term for name, term in terms.items()]).sum()


def _denoising(
    network: PcdvaeNetwork,
    batch: Batch,
    noise: NoiseDraw,
    generator: torch.Generator,
    z: Tensor,
    composition: Tensor,
    phase: Tensor,
    k: int,
    cutoff: float,
) -> dict[str, Tensor]:
    device, crystal = z.device, batch.graph.crystal
    positions = batch.positions + noise.displacement
    noisy = Graph.of(positions, batch.cells, batch.n_atoms, k=k, cutoff=cutoff).to(device)
    element_sigma = torch.from_numpy(noise.element_sigma).float().to(device)
    species = noisy_elements(batch.species, composition[crystal], element_sigma[crystal], generator)
    sigma = torch.from_numpy(noise.sigma).float().to(device)
    scores, logits = network.denoise(noisy, species, phase, z, sigma)
    of_atom = np.repeat(np.arange(len(batch.n_atoms)), batch.n_atoms)
    back = nearest_image(-noise.displacement, batch.cells[of_atom])
    target = torch.from_numpy(back / noise.sigma[of_atom, None]).float().to(device)
    wrong = 0.5 * (scores.float() - target).square().sum(dim=1)
    surprise = F.cross_entropy(logits.float(), batch.species, reduction="none")
    return {
        "positions": _per_crystal(batch.graph, wrong),
        "elements": _per_crystal(batch.graph, surprise / element_sigma[crystal]),
    }


def _per_crystal(graph: Graph, of_atoms: Tensor) -> Tensor:
    """Return the mean over crystals of the mean over their atoms."""
    return graph.mean_over_atoms(of_atoms[:, None]).mean()


def _property_loss(
    network: PcdvaeNetwork, mean: Tensor, log_variance: Tensor, batch: Batch
) -> Tensor:
    target = (batch.labels - network.label_mean) / network.label_std
    known = target.isfinite()
    nll = gaussian_nll(
        mean,
        bounded_log_variance(log_variance),
        torch.where(known, target, torch.zeros_like(target)),
    )
    return masked_mean(nll, known)


def bounded_log_variance(log_variance: Tensor) -> Tensor:
    """Return log-variances within ± LOG_VARIANCE_BOUND."""
    return log_variance.clamp(-LOG_VARIANCE_BOUND, LOG_VARIANCE_BOUND)
