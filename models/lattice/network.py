"""The autoencoder: a graph encoder, latents on the sites, a decoder site by site."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alloop.models.lattice.correlations import neighbour_averages
from alloop.models.lattice.parent import ParentLattice
from alloop.models.lattice.waves import concentration_waves


class Encoder(nn.Module):
    """Encoder: message passing over the periodic neighbour shells to each site's posterior."""

    def __init__(
        self,
        n_elements: int,
        n_lattices: int,
        n_shells: int,
        latents: int,
        *,
        width: int,
        depth: int,
    ) -> None:
        super().__init__()
        self.n_lattices = n_lattices
        self.enter = nn.Linear(n_elements + n_lattices, width)
        self.steps = nn.ModuleList(nn.Linear((1 + n_shells) * width, width) for _ in range(depth))
        self.leave = nn.Linear(width, 2 * latents)

    def forward(
        self, occupations: Tensor, lattice: Tensor, averages: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of the site latents, (B, N, k) each.

        Args:
            occupations: one-hot elements, shape (B, N, E).
            lattice: indices, shape (B,).
            averages: of neighbours, shape (lattices, shells, N, N).
        """
        on_lattice = F.one_hot(lattice, self.n_lattices).to(occupations.dtype)  # (B, L)
        on_sites = on_lattice[:, None].expand(-1, occupations.shape[1], -1)
        sites = F.silu(self.enter(torch.cat([occupations, on_sites], dim=-1)))  # (B, N, w)
        mix = averages[lattice]  # (B, S, N, N)
        for step in self.steps:
            around = (mix @ sites[:, None]).movedim(1, 2).flatten(-2)  # (B, N, S w)
            sites = sites + F.silu(step(torch.cat([sites, around], dim=-1)))
        mean, log_variance = self.leave(sites).chunk(2, dim=-1)
        return mean, log_variance.clamp(-10.0, 2.0)


class Autoencoder(nn.Module):
    """Variational autoencoder from decorations to latent points and back to probabilities of
    elements.

    A latent point is one coordinate for the lattice, where there are two to tell apart (−1 is
    the first, +1 the second), and the amplitudes of the concentration waves of the site
    latents. The decoder looks at one site at a time: in a random ordering a site's element
    says nothing about its neighbour's, and so a step in the latent space changes the sites it
    points to and no others.
    """

    averages: Tensor
    waves: Tensor

    def __init__(
        self,
        parents: tuple[ParentLattice, ...],
        n_elements: int,
        *,
        latents: int,
        width: int,
        depth: int,
    ) -> None:
        super().__init__()
        self.n_sites, self.latents = parents[0].n_sites, latents
        self.n_lattices, self.n_elements = len(parents), n_elements
        # Both follow from the parents, so checkpoints leave them out.
        self.register_buffer("averages", neighbour_averages(parents).float(), persistent=False)
        waves = torch.from_numpy(concentration_waves(parents[0])).float()
        self.register_buffer("waves", waves, persistent=False)
        self.encoder = Encoder(
            n_elements, len(parents), len(parents[0].shells), latents, width=width, depth=depth
        )
        self.decoder = nn.Sequential(
            nn.Linear(latents, width), nn.SiLU(), nn.Linear(width, n_elements)
        )

    @property
    def n_latents(self) -> int:
        """Length of a latent point."""
        return (self.n_lattices - 1) + self.n_sites * self.latents

    def encode(self, codes: Tensor, lattice: Tensor) -> Tensor:
        """Return latent points, shape (B, d), of element indices (B, N) on lattices (B,)."""
        mean, _ = self.posterior(codes, lattice)
        amplitudes = (self.waves @ mean).flatten(-2)  # (B, N k)
        side = (2.0 * lattice - 1.0)[:, None].to(mean.dtype)
        return torch.cat([side, amplitudes], dim=-1) if self.n_lattices == 2 else amplitudes

    def posterior(self, codes: Tensor, lattice: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of the site latents, (B, N, k) each."""
        occupations = F.one_hot(codes, self.n_elements).to(self.waves.dtype)
        mean, log_variance = self.encoder(occupations, lattice, self.averages)
        return mean, log_variance

    def site_latents(self, z: Tensor) -> Tensor:
        """Return the latents on the sites, shape (..., N, k), of latent points (..., d)."""
        amplitudes = z[..., self.n_lattices - 1 :].unflatten(-1, (self.n_sites, self.latents))
        return (amplitudes.mT @ self.waves.to(z.dtype)).mT

    def log_probabilities(self, z: Tensor) -> Tensor:
        """Return log-probabilities of the elements, shape (..., N, E), in z's precision."""
        weights = {name: w.to(z.dtype) for name, w in self.decoder.named_parameters()}
        logits = torch.func.functional_call(self.decoder, weights, (self.site_latents(z),))
        return F.log_softmax(logits, dim=-1)

    def lattice_weights(self, z: Tensor) -> Tensor:
        """Return each lattice's share in a latent point, shape (..., lattices).

        The lattice coordinate goes smoothly from all of one at −1 to all of the other at +1.
        """
        if self.n_lattices == 1:
            return torch.ones_like(z[..., :1])
        share = ((z[..., :1] + 1) / 2).clamp(0.0, 1.0)
        share = share * share * (3 - 2 * share)
        return torch.cat([1 - share, share], dim=-1)
