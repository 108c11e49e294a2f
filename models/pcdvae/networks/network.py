"""Encoder, heads and decoder in one module."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alloop.models.pcdvae.networks.decoder import Decoder
from alloop.models.pcdvae.networks.encoder import Encoder
from alloop.models.pcdvae.networks.graph import Graph
from alloop.models.pcdvae.networks.heads import Heads
from alloop.models.pcdvae.networks.noise import MAX_SIGMA, MIN_SIGMA
from alloop.models.pcdvae.options import PcdvaeOptions

NOISE_FEATURES = 16
MIN_CELL_STD = 0.01
"""Least standard deviation of cell codes, about 1 % in length: what never varies in the data is not
amplified."""


class PcdvaeNetwork(nn.Module):
    """Encoder, heads and decoder, with the units of the heads' outputs.

    Args:
        options: sizes.
        elements: kinds of atoms.
        counts: allowed numbers of atoms.
        properties: values to predict.
        phases: parent lattices to choose between; 0 where none is told.
    """

    cell_mean: Tensor
    cell_std: Tensor
    cell_low: Tensor
    cell_high: Tensor
    label_mean: Tensor
    label_std: Tensor

    def __init__(
        self, options: PcdvaeOptions, *, elements: int, counts: int, properties: int, phases: int
    ) -> None:
        super().__init__()
        self.n_phases = max(phases, 1)
        self.noise_conditioned = options.noise_conditioned
        self.encoder = Encoder(
            elements,
            options.latent,
            width=options.encoder_width,
            blocks=options.encoder_blocks,
            cutoff=options.cutoff,
        )
        self.heads = Heads(
            options.latent,
            options.head_width,
            counts=counts,
            elements=elements,
            properties=properties,
            phases=self.n_phases,
        )
        self.decoder = Decoder(
            elements * self.n_phases,
            elements,
            options.latent + (NOISE_FEATURES if options.noise_conditioned else 0),
            width=options.decoder_width,
            blocks=options.decoder_blocks,
            cutoff=options.cutoff,
        )
        for name in ("cell_mean", "cell_low", "cell_high"):
            self.register_buffer(name, torch.zeros(6))
        self.register_buffer("cell_std", torch.ones(6))
        # NaN until two labels of the property have been seen.
        self.register_buffer("label_mean", torch.full((properties,), torch.nan))
        self.register_buffer("label_std", torch.full((properties,), torch.nan))

    def denoise(
        self, graph: Graph, species: Tensor, phase: Tensor, z: Tensor, sigma: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return scores in units of 1 / σ and element logits of noisy atoms.

        Args:
            graph: of the noisy atoms.
            species: noisy elements, shape (n,).
            phase: of each crystal, shape (b,).
            z: of each crystal, shape (b, latent).
            sigma: noise level of each crystal, Å, shape (b,).
        """
        context = z
        if self.noise_conditioned:
            context = torch.cat([z, _noise_features(sigma)], dim=1)
        told = species * self.n_phases + phase[graph.crystal]
        return self.decoder(graph, told, context[graph.crystal])

    @torch.no_grad()
    def standardise_cells(self, codes: Tensor) -> None:
        """Standardise by these codes, shape (n, 6); done once, before the first training."""
        self.cell_mean.copy_(codes.mean(dim=0))
        self.cell_std.copy_(codes.std(dim=0, correction=0).clamp_min(MIN_CELL_STD))
        self.cell_low.copy_(codes.amin(dim=0))
        self.cell_high.copy_(codes.amax(dim=0))

    @torch.no_grad()
    def widen_cell_range(self, codes: Tensor) -> None:
        """Widen the range of decoded cells to hold these codes, shape (n, 6)."""
        self.cell_low.copy_(torch.minimum(self.cell_low, codes.amin(dim=0)))
        self.cell_high.copy_(torch.maximum(self.cell_high, codes.amax(dim=0)))

    @torch.no_grad()
    def standardise_labels(self, labels: Tensor) -> None:
        """Standardise by these labels, shape (n, p); predictions in their units stay as they were.

        Properties of which fewer than two different values are known keep their old units.
        """
        last = self.heads.property_output
        n_properties = len(self.label_mean)
        for p in range(n_properties):
            known = labels[:, p][labels[:, p].isfinite()]
            if len(known) < 2 or float(known.std(correction=0)) == 0:
                continue
            mean, std = known.mean(), known.std(correction=0)
            if self.label_std[p].isfinite():
                factor = self.label_std[p] / std
                last.weight[p] *= factor
                last.bias[p] = last.bias[p] * factor + (self.label_mean[p] - mean) / std
                last.bias[n_properties + p] += 2 * factor.log()
            self.label_mean[p], self.label_std[p] = mean, std

    def codes_from_cells(self, z: Tensor) -> Tensor:
        """Return predicted codes of cells, shape (b, 6), within what training has seen."""
        codes = self.heads(z).cell * self.cell_std + self.cell_mean
        return codes.clamp(self.cell_low, self.cell_high)


def _noise_features(sigma: Tensor) -> Tensor:
    """Return sines and cosines of the logarithm of σ, shape (b,) to (b, 16)."""
    place = torch.log(sigma / MIN_SIGMA) / math.log(MAX_SIGMA / MIN_SIGMA)
    order = torch.arange(1, NOISE_FEATURES // 2 + 1, device=sigma.device)
    phase = 0.5 * math.pi * order * place[:, None]
    return torch.cat([phase.cos(), phase.sin()], dim=1)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the divergence of each row from the standard normal, shape (b, d) to (b,)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


def gaussian_nll(mean: Tensor, log_variance: Tensor, target: Tensor) -> Tensor:
    """Return −log of the normal density at the target, less its constant, elementwise."""
    return 0.5 * (log_variance + (target - mean).square() * torch.exp(-log_variance))


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of values where the mask is true, 0 where it never is."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp_min(1)


def cross_entropy_of_known(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy over rows whose target is not negative, 0 for none."""
    losses = F.cross_entropy(logits, target.clamp_min(0), reduction="none")
    return masked_mean(losses, target >= 0)
