"""The encoder: DimeNet++ (Gasteiger et al. 2020) over the periodic graph, averaged over atoms."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alloop.models.pcdvae.networks.angles import Angles
from alloop.models.pcdvae.networks.basis import RadialBasis
from alloop.models.pcdvae.networks.graph import Graph

N_RADIAL = 6
N_ORDERS = 7
BASIS_WIDTH = 8
OUTPUT_LAYERS = 3
RESIDUALS_BEFORE, RESIDUALS_AFTER = 1, 2
"""Numbers of residual layers; like the sizes above DimeNet++'s. Widths inside the interaction and
the output are half and twice the model's, as 64 and 256 are to 128 there."""


class Encoder(nn.Module):
    """DimeNet++ encoder from a graph to the mean and log-variance of z.

    All it sees are distances and angles, so z is unchanged by whatever leaves them: rotations,
    reflections, translations, the order of the atoms, the choice of the cell. It takes the mean
    over atoms, so a supercell has its cell's z, and nothing in z tells the two apart.

    Args:
        n_elements: kinds of atoms.
        latent: size of z.
        width: features of an edge.
        blocks: interactions.
        cutoff: Å.
    """

    def __init__(
        self, n_elements: int, latent: int, *, width: int, blocks: int, cutoff: float
    ) -> None:
        super().__init__()
        self.basis = RadialBasis(N_RADIAL, N_ORDERS, cutoff)
        self.embedding = EdgeEmbedding(n_elements, width)
        self.interactions = nn.ModuleList(Interaction(width) for _ in range(blocks))
        self.outputs = nn.ModuleList(Output(width, latent) for _ in range(blocks + 1))
        self.mean = nn.Linear(latent, latent)
        self.log_variance = nn.Linear(latent, latent)
        nn.init.zeros_(self.log_variance.weight)
        nn.init.zeros_(self.log_variance.bias)

    def forward(self, graph: Graph, species: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each (b, latent), for atoms' species, shape (n,)."""
        return self.of_features(graph, self.embedding.atoms(species))

    def of_features(self, graph: Graph, atoms: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same for the embeddings of the atoms' elements, shape (n, width): elements
        have no gradient, these do."""
        radial, spherical = self.basis(graph.distance)
        angles = Angles.of(graph, N_ORDERS)
        x = self.embedding(graph, atoms, radial)
        of_atoms = self.outputs[0](graph, x, radial)
        for interaction, output in zip(self.interactions, list(self.outputs)[1:], strict=True):
            x = interaction(angles, x, radial, spherical)
            of_atoms = of_atoms + output(graph, x, radial)
        hidden = graph.mean_over_atoms(of_atoms)
        return self.mean(hidden), self.log_variance(hidden)


class EdgeEmbedding(nn.Module):
    """Embedding of an edge from its two atoms and its length."""

    def __init__(self, n_elements: int, width: int) -> None:
        super().__init__()
        self.atoms = nn.Embedding(n_elements, width)
        nn.init.uniform_(self.atoms.weight, -math.sqrt(3), math.sqrt(3))
        self.radial = nn.Linear(N_RADIAL, width)
        self.join = nn.Linear(3 * width, width)

    def forward(self, graph: Graph, atoms: Tensor, radial: Tensor) -> Tensor:
        """Return the edges' features, shape (e, width), for those of the atoms, (n, width)."""
        ends = [atoms.index_select(0, graph.target), atoms.index_select(0, graph.source)]
        return F.silu(self.join(torch.cat([*ends, F.silu(self.radial(radial))], dim=1)))


class Interaction(nn.Module):
    """Interaction block: messages along edges from the edges before them, by distance and angle."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.radial = nn.Sequential(_plain(N_RADIAL, BASIS_WIDTH), _plain(BASIS_WIDTH, width))
        self.spherical_first = _plain(N_ORDERS * N_RADIAL, BASIS_WIDTH)
        self.spherical_second = _plain(BASIS_WIDTH, inner)
        self.before, self.own = _linear(width, width), _linear(width, width)
        self.down, self.up = _plain(width, inner), _plain(inner, width)
        self.residuals_before = nn.ModuleList(_Residual(width) for _ in range(RESIDUALS_BEFORE))
        self.skip = _linear(width, width)
        self.residuals_after = nn.ModuleList(_Residual(width) for _ in range(RESIDUALS_AFTER))

    def forward(self, angles: Angles, x: Tensor, radial: Tensor, spherical: Tensor) -> Tensor:
        """Return the edges' new features, shape (e, width).

        The message of an edge j → i gathers all k → j but the one from i. Their angle is the one
        at j between its edges from k and from i, and the latter is the reverse of j → i: so the
        sum is over the other edges of the reverse's target.
        """
        own = F.silu(self.own(x))
        before = F.silu(self.before(x)) * self.radial(radial)
        before = F.silu(self.down(before))
        summed = angles.contract(self._weights(spherical) * before[:, None])
        return self.joined(x, own, summed.index_select(0, angles.graph.reverse))

    def joined(self, x: Tensor, own: Tensor, summed: Tensor) -> Tensor:
        """Return the new features of edges.

        Args:
            x: features of edges before, shape (E, width).
            own: what an edge keeps of itself, shape (E, width).
            summed: messages from the other edges of an edge's source, shape (E, narrow width).
        """
        h = own + F.silu(self.up(summed))
        for residual in self.residuals_before:
            h = residual(h)
        h = F.silu(self.skip(h)) + x
        for residual in self.residuals_after:
            h = residual(h)
        return h

    def _weights(self, spherical: Tensor) -> Tensor:
        """Map the joint basis without its angular factor, (e, orders, n) to (e, orders, inner)."""
        first, second = self.spherical_first.weight, self.spherical_second.weight
        joint = (second @ first).unflatten(1, (N_ORDERS, N_RADIAL))  # (inner, orders, n)
        return torch.einsum("eln,cln->elc", spherical, joint)


class Output(nn.Module):
    """Output block: edge features summed at their target atoms, followed by dense layers."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.radial = _plain(N_RADIAL, width)
        self.up = _plain(width, 2 * width)
        self.layers = nn.ModuleList(_linear(2 * width, 2 * width) for _ in range(OUTPUT_LAYERS))
        self.last = _plain(2 * width, outputs)

    def forward(self, graph: Graph, x: Tensor, radial: Tensor) -> Tensor:
        """Return the atoms' outputs, shape (n, outputs)."""
        h = self.up(graph.sum_at_targets(self.radial(radial) * x))
        for layer in self.layers:
            h = F.silu(layer(h))
        return self.last(h)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _linear(width, width), _linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.silu(self.second(F.silu(self.first(x))))


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    _orthogonal(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _plain(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    _orthogonal(layer.weight)
    return layer


@torch.no_grad()
def _orthogonal(weight: Tensor) -> None:
    """Initialise orthogonal with Glorot's variance 2 / (inputs + outputs) (DimeNet, section 6)."""
    nn.init.orthogonal_(weight)
    if weight.numel() > 1:
        weight.mul_(math.sqrt(2 / sum(weight.shape)) / float(weight.std()))
