"""The autoencoder: a graph encoder, latents on the sites, a decoder site by site."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alloop.models.lattice.correlations import neighbour_averages
from alloop.models.lattice.decorations import SitesOf
from alloop.models.lattice.parent import ParentLattice
from alloop.models.lattice.waves import concentration_waves

FORBIDDEN = -30.0
"""Logit of a species that a sublattice does not have: 1e-13 of the probability of one it has."""


class Encoder(nn.Module):
    """Encoder: message passing over the periodic neighbour shells to each site's posterior."""

    def __init__(
        self,
        n_elements: int,
        n_lattices: int,
        n_shells: int,
        latents: int,
        *,
        n_marks: int = 0,
        width: int,
        depth: int,
    ) -> None:
        super().__init__()
        self.n_lattices = n_lattices
        self.enter = nn.Linear(n_elements + n_lattices + n_marks, width)
        self.steps = nn.ModuleList(nn.Linear((1 + n_shells) * width, width) for _ in range(depth))
        self.leave = nn.Linear(width, 2 * latents)

    def forward(
        self, occupations: Tensor, lattice: Tensor, averages: Tensor, marks: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of the site latents, (B, N, k) each.

        Args:
            occupations: one-hot elements, shape (B, N, E).
            lattice: indices, shape (B,).
            averages: of neighbours, shape (lattices, shells, N, N).
            marks: one-hot sublattices, shape (N, sublattices); without columns where there is one.
        """
        on_lattice = F.one_hot(lattice, self.n_lattices).to(occupations.dtype)  # (B, L)
        on_sites = on_lattice[:, None].expand(-1, occupations.shape[1], -1)
        marked = marks.expand(len(occupations), -1, -1)
        sites = F.silu(self.enter(torch.cat([occupations, on_sites, marked], dim=-1)))  # (B, N, w)
        mix = averages[lattice]  # (B, S, N, N)
        for step in self.steps:
            around = (mix @ sites[:, None]).movedim(1, 2).flatten(-2)  # (B, N, S w)
            sites = sites + F.silu(step(torch.cat([sites, around], dim=-1)))
        mean, log_variance = self.leave(sites).chunk(2, dim=-1)
        return mean, log_variance.clamp(-10.0, 2.0)


class Autoencoder(nn.Module):
    """Variational autoencoder from decorations to latent points and back to probabilities of
    elements.

    A latent point is a coordinate for each lattice but the first, where there are several to tell
    apart (+1 on that lattice, −1 off it), and the amplitudes of the concentration waves of the site
    latents. The decoder looks at one site at a time: in a random ordering a site's element
    says nothing about its neighbour's, and so a step in the latent space changes the sites it
    points to and no others.
    """

    averages: Tensor
    waves: Tensor
    marks: Tensor
    logit_bias: Tensor

    def __init__(
        self,
        parents: tuple[ParentLattice, ...],
        n_elements: int,
        sublattices: Sequence[SitesOf],
        *,
        latents: int,
        width: int,
        depth: int,
    ) -> None:
        super().__init__()
        self.n_sites, self.latents = parents[0].n_sites, latents
        self.n_lattices, self.n_elements = len(parents), n_elements
        # These follow from the parents, so checkpoints leave them out.
        self.register_buffer("averages", neighbour_averages(parents).float(), persistent=False)
        waves = torch.from_numpy(concentration_waves(parents[0])).float()
        self.register_buffer("waves", waves, persistent=False)
        marks = _marks(sublattices, self.n_sites)
        self.register_buffer("marks", marks, persistent=False)
        bias = _logit_bias(sublattices, self.n_sites, n_elements)
        self.register_buffer("logit_bias", bias, persistent=False)
        self.encoder = Encoder(
            n_elements,
            len(parents),
            len(parents[0].shells),
            latents,
            n_marks=marks.shape[1],
            width=width,
            depth=depth,
        )
        self.decoder = nn.Sequential(
            nn.Linear(latents, width), nn.SiLU(), nn.Linear(width, n_elements)
        )

    @property
    def n_latents(self) -> int:
        """Length of a latent point."""
        return (self.n_lattices - 1) + self.n_sites * self.latents

    @property
    def allowed(self) -> Tensor:
        """Whether a site may hold a species, shape (N, E)."""
        return self.logit_bias == 0

    def encode(self, codes: Tensor, lattice: Tensor) -> Tensor:
        """Return latent points, shape (B, d), of element indices (B, N) on lattices (B,)."""
        mean, _ = self.posterior(codes, lattice)
        amplitudes = (self.waves @ mean).flatten(-2)  # (B, N k)
        side = 2.0 * F.one_hot(lattice, self.n_lattices)[:, 1:].to(mean.dtype) - 1.0
        return torch.cat([side, amplitudes], dim=-1)

    def posterior(self, codes: Tensor, lattice: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of the site latents, (B, N, k) each."""
        occupations = F.one_hot(codes, self.n_elements).to(self.waves.dtype)
        mean, log_variance = self.encoder(occupations, lattice, self.averages, self.marks)
        return mean, log_variance

    def site_latents(self, z: Tensor) -> Tensor:
        """Return the latents on the sites, shape (..., N, k), of latent points (..., d)."""
        amplitudes = z[..., self.n_lattices - 1 :].unflatten(-1, (self.n_sites, self.latents))
        return (amplitudes.mT @ self.waves.to(z.dtype)).mT

    def log_probabilities(self, z: Tensor) -> Tensor:
        """Return log-probabilities of the elements, shape (..., N, E), in z's precision."""
        weights = {name: w.to(z.dtype) for name, w in self.decoder.named_parameters()}
        logits = torch.func.functional_call(self.decoder, weights, (self.site_latents(z),))
        return F.log_softmax(logits + self.logit_bias.to(z.dtype), dim=-1)

    def lattice_weights(self, z: Tensor) -> Tensor:
        """Return each lattice's share in a latent point, shape (..., lattices).

        Each lattice's coordinate takes it smoothly from none at −1 to all at +1; what is left is
        the first's.
        """
        if self.n_lattices == 1:
            return torch.ones_like(z[..., :1])
        share = ((z[..., : self.n_lattices - 1] + 1) / 2).clamp(0.0, 1.0)
        share = share * share * (3 - 2 * share)
        total = share.sum(dim=-1, keepdim=True)
        share = share / total.clamp_min(1.0)
        return torch.cat([1 - share.sum(dim=-1, keepdim=True), share], dim=-1)


def _marks(sublattices: Sequence[SitesOf], n_sites: int) -> Tensor:
    """Return which sublattice each site is of, shape (N, sublattices); no columns for a single."""
    if len(sublattices) == 1:
        return torch.zeros(n_sites, 0)
    marks = torch.zeros(n_sites, len(sublattices))
    for column, one in enumerate(sublattices):
        marks[one.sites, column] = 1.0
    return marks


def _logit_bias(sublattices: Sequence[SitesOf], n_sites: int, n_elements: int) -> Tensor:
    """Return what keeps species from sublattices that do not have them, shape (N, E)."""
    bias = torch.full((n_sites, n_elements), FORBIDDEN)
    for one in sublattices:
        bias[one.sites][:, list(one.species)] = 0.0
    return bias
