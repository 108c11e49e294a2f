"""A network with linear paths between crystal and latent point.

It differs from the published one in three ways, each measured to help on Perov-5 and Carbon-24:
elements and occupancies are classes with cross-entropies rather than numbers with squared
errors, one embedding of the elements serves every column on both sides, and cell and
coordinates (as sines and cosines) reach z, and come back from it, along a linear path beside
the network's bent one. A linear path generalises to sites that no training crystal had.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alloop.models.ftcp.networks.network import FtcpNetwork
from alloop.models.ftcp.options import DirectNetwork
from alloop.models.ftcp.representation.crystals import CrystalArrays, Size
from alloop.models.ftcp.representation.elements import (
    N_ELEMENTS,
    N_PROPERTIES,
    PROPERTY_BLOCKS,
    property_table,
)
from alloop.models.ftcp.representation.matrix import N_K_POINTS, blocks, interpret
from alloop.models.ftcp.representation.scaling import Scaler

MIN_LATTICE_SPREAD = (0.3, 0.3, 0.3, 3.0, 3.0, 3.0)
"""Least spread of the lattice parameters a, b, c (Å) and α, β, γ (degrees) that they are
standardised by, so that a later crystal unlike the training crystals stays within reach."""
LATTICE_RESOLUTION = 3.0
"""Resolution of the standardised lattice parameters, relative to that of the coordinates."""
RECIPROCAL_MIXES = 8
"""Number of mixtures of the 59 k-points that the encoder makes of each property row."""
MIN_PROBABILITY = 1e-6
"""Lower bound of the probability of a class that is more probable than "empty"."""
LOGIT_SCALE = 3.0
"""Scale of the element logits: lets unlike embeddings give near-certainty early in training."""


class DirectFtcp(FtcpNetwork):
    """Network with linear paths between crystal and latent point.

    Args:
        options: sizes.
        latents: d.
        size: of the representation.
        scaler: of matrix rows.
        lattices: of the training crystals, shape (n, 6); their mean and spread are kept.
        allowed: which elements may be decoded.
    """

    def __init__(
        self,
        options: DirectNetwork,
        latents: int,
        size: Size,
        scaler: Scaler,
        lattices: np.ndarray,
        allowed: np.ndarray,
    ) -> None:
        super().__init__(size, scaler, allowed)
        width, sites, columns = options.width, size.sites, size.columns
        self.resolution = options.resolution
        self.register_buffer("lattice_mean", torch.from_numpy(lattices.mean(axis=0)).float())
        spread = np.maximum(lattices.std(axis=0), MIN_LATTICE_SPREAD)
        self.register_buffer("lattice_spread", torch.from_numpy(spread).float())
        self.register_buffer("element_features", _element_features())
        geometry = 6 + 7 * sites  # lattice; per site 3 sines, 3 cosines, presence
        self.embedding = nn.Linear(N_ELEMENTS + N_PROPERTIES, options.embedding, bias=False)
        _init_embedding(self.embedding)
        self.from_elements = nn.Linear(columns * options.embedding, width)
        self.from_occupancy = nn.Linear(sites * columns, width)
        self.from_geometry = nn.Linear(geometry, width)
        self.mix = nn.Linear(N_K_POINTS, RECIPROCAL_MIXES)
        self.from_reciprocal = nn.Linear((1 + N_PROPERTIES) * RECIPROCAL_MIXES, width)
        self.encoder = _trunk(width, options.depth)
        self.mean = nn.Linear(width, latents)
        self.log_variance = nn.Linear(width, latents)
        self.geometry_to_z = nn.Linear(geometry, latents)
        nn.init.orthogonal_(self.geometry_to_z.weight)
        self.z_to_geometry = nn.Linear(latents, 6 + 6 * sites)
        self.from_z = nn.Linear(latents, width)
        self.decoder = _trunk(width, options.depth)
        self.to_elements = nn.Linear(width, columns * options.embedding)
        self.to_no_element = nn.Linear(width, columns)
        self.element_bias = nn.Parameter(torch.zeros(columns, N_ELEMENTS))
        self.to_geometry = nn.Linear(width, 6 + 6 * sites)
        self.to_occupancy = nn.Linear(width, sites * (columns + 1))

    lattice_mean: Tensor
    lattice_spread: Tensor
    element_features: Tensor

    def posterior(self, matrices: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log variances of latents, shape (n, d), of matrices (n, R, C)."""
        rows, columns = blocks(self.size), self.size.columns
        one_hots = matrices[:, rows["elements"], :columns]
        properties = matrices[:, rows["properties"], :columns]
        embedded = self.embedding(torch.cat([one_hots, properties], dim=1).transpose(1, 2))
        reciprocal = self.scale(matrices)[:, rows["k_distance"].start :, columns:]  # (n, 93, 59)
        lattice, angles, occupancy = self._geometry(matrices)
        is_site = occupancy.sum(dim=2)  # (n, S)
        waves = torch.cat([angles.sin(), angles.cos()], dim=2) * is_site[..., None]
        geometry = torch.cat([lattice, waves.flatten(1), is_site], dim=1)
        hidden = self.encoder(
            self.from_elements(embedded.flatten(1))
            + self.from_occupancy(occupancy.flatten(1))
            + self.from_geometry(geometry)
            + self.from_reciprocal(self.mix(reciprocal).flatten(1))
        )
        mean = self.mean(hidden) + self.geometry_to_z(geometry)
        return mean, self.log_variance(hidden).clamp(-10.0, 4.0)

    def reconstruction_loss(self, z: Tensor, matrices: Tensor) -> Tensor:
        """Return cross-entropies plus squared errors over twice the squared resolution, (n,)."""
        rows, columns = blocks(self.size), self.size.columns
        elements, lattice, waves, occupancy = self._decode(z)
        true_lattice, true_angles, true_occupancy = self._geometry(matrices)
        is_site = true_occupancy.sum(dim=2)  # (n, S)
        one_hots = matrices[:, rows["elements"], :columns].transpose(1, 2)  # (n, W, 103)
        loss = _cross_entropy(elements, one_hots) + _cross_entropy(occupancy, true_occupancy)
        lattice_unit = LATTICE_RESOLUTION * self.resolution
        loss = loss + (lattice - true_lattice).square().sum(dim=1) / (2 * lattice_unit**2)
        true_waves = torch.stack([true_angles.sin(), true_angles.cos()], dim=3)
        errors = (waves - true_waves).square().sum(dim=(2, 3)) * is_site
        return loss + errors.sum(dim=1) / (2 * (2 * math.pi * self.resolution) ** 2)

    def crystals(self, z: Tensor) -> CrystalArrays:
        """Return the crystals that latent points, shape (n, d), decode to; coordinates in [0,
        1)."""
        elements, lattice, waves, occupancy = self._decode(z)
        elements[..., :-1].masked_fill_(~self.allowed, -torch.inf)
        coords = torch.atan2(waves[..., 0], waves[..., 1]) / (2 * math.pi) % 1.0
        return interpret(
            _occupied_probabilities(elements),
            (lattice * self.lattice_spread + self.lattice_mean).double().numpy(),
            coords.double().numpy(),
            _occupied_probabilities(occupancy),
            threshold=MIN_PROBABILITY,
        )

    def _geometry(self, matrices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the standardised lattice (n, 6), 2π coords (n, S, 3), occupancy (n, S, W)."""
        rows, columns = blocks(self.size), self.size.columns
        lattice = matrices[:, rows["lattice"], :3].flatten(1)
        angles = 2 * math.pi * matrices[:, rows["coords"], :3]
        occupancy = matrices[:, rows["occupancy"], :columns]
        return (lattice - self.lattice_mean) / self.lattice_spread, angles, occupancy

    def _decode(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return element logits (n, W, 103 + 1), the standardised lattice (n, 6), sines and
        cosines (n, S, 3, 2), and occupancy logits (n, S, W + 1); the last class is "empty".
        """
        n, sites, columns = len(z), self.size.sites, self.size.columns
        hidden = self.decoder(self.from_z(z))
        geometry = self.to_geometry(hidden) + self.z_to_geometry(z)
        wanted = self.to_elements(hidden).view(n, columns, -1)
        table = self.embedding(self.element_features)  # (103, e)
        logits = LOGIT_SCALE / math.sqrt(table.shape[1]) * wanted @ table.T + self.element_bias
        return (
            torch.cat([logits, self.to_no_element(hidden)[..., None]], dim=2),
            geometry[:, :6],
            geometry[:, 6:].view(n, sites, 3, 2),
            self.to_occupancy(hidden).view(n, sites, columns + 1),
        )


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        nn.init.zeros_(self.outer.weight)

    def forward(self, hidden: Tensor) -> Tensor:
        update: Tensor = self.outer(F.gelu(self.inner(self.norm(hidden))))
        return hidden + update


def _trunk(width: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*[_Residual(width) for _ in range(depth)], nn.LayerNorm(width))


def _element_features() -> Tensor:
    """Return one-hot and property vector of every element, shape (103, 103 + 92)."""
    properties = torch.from_numpy(np.nan_to_num(property_table())).float()
    return torch.cat([torch.eye(N_ELEMENTS), properties], dim=1)


def _init_embedding(embedding: nn.Linear) -> None:
    """Initialise elements' embeddings with unit variance, half one-hot, half from the nine
    properties they share with others."""
    with torch.no_grad():
        embedding.weight.normal_()
        embedding.weight[:, :N_ELEMENTS] /= math.sqrt(2)
        embedding.weight[:, N_ELEMENTS:] /= math.sqrt(2 * len(PROPERTY_BLOCKS))


def _cross_entropy(logits: Tensor, one_hots: Tensor) -> Tensor:
    """Return the cross-entropy summed over columns or sites, shape (n,).

    Args:
        logits: shape (n, m, k + 1), the last class being "empty".
        one_hots: shape (n, m, k); all zero for "empty".
    """
    empty = 1 - one_hots.sum(dim=2, keepdim=True)
    targets = torch.cat([one_hots, empty], dim=2)
    return -(targets * logits.log_softmax(dim=2)).sum(dim=(1, 2))


def _occupied_probabilities(logits: Tensor) -> np.ndarray:
    """Return probabilities of the classes but "empty"; below ``MIN_PROBABILITY``, though still in
    their order, where "empty" is more probable."""
    probabilities = logits.softmax(dim=2)
    classes, empty = probabilities[..., :-1], probabilities[..., -1:]
    is_there = classes.max(dim=2, keepdim=True).values > empty
    shown: np.ndarray = torch.where(is_there, classes, 0.1 * MIN_PROBABILITY * classes).numpy()
    return shown
