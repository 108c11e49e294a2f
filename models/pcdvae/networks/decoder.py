"""The decoder: GemNet-dT (Gasteiger et al. 2021), told the latent point by every atom.

Edges carry features. Each block exchanges them between edges that share an atom, by the angle
between them, and with the atoms; forces are read off the edges directly, along their directions,
so they rotate with the crystal while everything else stays.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alloop.models.pcdvae.networks.angles import Angles, small_products
from alloop.models.pcdvae.networks.basis import RadialBasis
from alloop.models.pcdvae.networks.graph import Graph
from alloop.models.pcdvae.networks.layers import INV_SQRT_2, SILU_GAIN, Dense, Residual, Scale

N_RADIAL = 6
N_ORDERS = 7
BASIS_WIDTH = 16
RESIDUALS_BEFORE, RESIDUALS_AFTER, RESIDUALS_JOIN = 1, 2, 1
RESIDUALS_ATOM = 2
"""Number of residual layers of atoms; like the sizes above GemNet's. The width of triplets is half
the model's, as 64 is to 128 there."""
RESIDUALS_FORCE = 1
"""Number of residual layers of forces: fewer than GemNet's, which would cost as much as a block."""


@dataclass(frozen=True)
class Geometry:
    """Distance and angle features that every block sees."""

    angles: Angles
    of_triplets: Tensor
    """Distance basis of the edge that sends, shape (e, 16)."""
    of_angles: Tensor
    """Distance basis of the edge that receives, by order of the angle, shape (e, 16, orders)."""
    to_atoms: Tensor
    """Distance basis where edges are summed at atoms, shape (e, 16)."""
    to_forces: Tensor
    """Distance basis where forces are read off, shape (e, 16)."""

    @property
    def graph(self) -> Graph:
        """Graph of the noisy atoms."""
        return self.angles.graph


class Decoder(nn.Module):
    """GemNet-dT decoder from noisy atoms and their conditions to scores and element logits.

    Args:
        n_species: rows of the atom embedding: elements, times phases where these are told.
        n_elements: kinds of atoms to choose between.
        context: size of what each atom is told beside its species: z, and the noise level.
        width: features of atoms and edges.
        blocks: interactions.
        cutoff: Å.
    """

    def __init__(
        self,
        n_species: int,
        n_elements: int,
        context: int,
        *,
        width: int,
        blocks: int,
        cutoff: float,
    ) -> None:
        super().__init__()
        self.basis = RadialBasis(N_RADIAL, N_ORDERS, cutoff)
        self.to_triplets = Dense(N_RADIAL, BASIS_WIDTH, activated=False)
        self.to_atoms = Dense(N_RADIAL, BASIS_WIDTH, activated=False)
        self.to_forces = Dense(N_RADIAL, BASIS_WIDTH, activated=False)
        self.to_angles = nn.ModuleList(
            Dense(N_RADIAL, BASIS_WIDTH, activated=False) for _ in range(N_ORDERS)
        )
        self.atoms = nn.Embedding(n_species, width)
        self.context = nn.Linear(width + context, width)
        self.edges = JoinAtoms(width, N_RADIAL)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.forces = nn.ModuleList(Forces(width) for _ in range(blocks + 1))
        self.elements = nn.Linear(width, n_elements)

    def forward(self, graph: Graph, species: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores and element logits.

        Args:
            graph: of the noisy atoms.
            species: rows of the atom embedding, shape (n,).
            context: shape (n, context).

        Returns:
            Scores in units of 1 / σ, shape (n, 3), and logits, shape (n, n_elements).
        """
        radial, spherical = self.basis(graph.distance)
        geometry = Geometry(
            angles=Angles.of(graph, N_ORDERS),
            of_triplets=self.to_triplets(radial),
            of_angles=torch.stack(
                [dense(spherical[:, k]) for k, dense in enumerate(self.to_angles)], dim=2
            ),
            to_atoms=self.to_atoms(radial),
            to_forces=self.to_forces(radial),
        )
        atoms = self.context(torch.cat([self.atoms(species), context], dim=1))
        edges = self.edges(graph, atoms, radial)
        forces = self.forces[0](edges, geometry)
        for block, read_off in zip(self.blocks, list(self.forces)[1:], strict=True):
            atoms, edges = block(atoms, edges, geometry)
            forces = forces + read_off(edges, geometry)
        scores = graph.sum_at_targets(forces * graph.direction)
        return scores, self.elements(atoms)


class Block(nn.Module):
    """Interaction block: edges with edges, edges to atoms, atoms to edges."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.triplets = Triplets(width)
        self.skip = Dense(width, width)
        self.before = nn.Sequential(*(Residual(width) for _ in range(RESIDUALS_BEFORE)))
        self.after = nn.Sequential(*(Residual(width) for _ in range(RESIDUALS_AFTER)))
        self.gather = GatherEdges(width)
        self.join = JoinAtoms(width, width)
        self.joined = nn.Sequential(*(Residual(width) for _ in range(RESIDUALS_JOIN)))

    def forward(self, atoms: Tensor, edges: Tensor, geometry: Geometry) -> tuple[Tensor, Tensor]:
        """Return new features of atoms and edges."""
        exchanged = (self.skip(edges) + self.triplets(edges, geometry)) * INV_SQRT_2
        edges = self.after((edges + self.before(exchanged)) * INV_SQRT_2)
        atoms = (atoms + self.gather(edges, geometry)) * INV_SQRT_2
        joined = self.joined(self.join(geometry.graph, atoms, edges))
        return atoms, (edges + joined) * INV_SQRT_2


class Triplets(nn.Module):
    """Triplet interaction: messages between edges that share a target, both ways along each edge.

    The bilinear layer is GemNet's efficient one: distances and angles are mixed with the messages
    before the large product. ``Angles`` sums over the triplets.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.before = Dense(width, width)
        self.radial = Dense(BASIS_WIDTH, width, activated=False)
        self.scale_radial = Scale()
        self.down = Dense(width, inner)
        self.bilinear = Dense(BASIS_WIDTH * inner, inner, activated=False)
        self.scale_sum = Scale()
        self.up, self.up_reverse = Dense(inner, width), Dense(inner, width)

    def forward(self, edges: Tensor, geometry: Geometry) -> Tensor:
        """Return the edges' messages, shape (e, width)."""
        sent = self.before(edges)
        sent = self.scale_radial(sent * self.radial(geometry.of_triplets), sent)
        sent = self.down(sent)
        by_order = geometry.angles.correlate(sent)  # (e, orders, inner)
        mixed = small_products(geometry.of_angles, by_order)  # (e, 16, inner)
        received = self.scale_sum(self.bilinear(mixed.flatten(1)), sent)
        returned = self.up_reverse(received).index_select(0, geometry.graph.reverse)
        return (self.up(received) + returned) * INV_SQRT_2


class GatherEdges(nn.Module):
    """Sum of edge features at their target atoms, followed by dense layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.radial = Dense(BASIS_WIDTH, width, activated=False)
        self.scale = Scale()
        self.layers = nn.Sequential(
            Dense(width, width), *(Residual(width) for _ in range(RESIDUALS_ATOM))
        )

    def forward(self, edges: Tensor, geometry: Geometry) -> Tensor:
        """Return the atoms' features, shape (n, width)."""
        summed = geometry.graph.sum_at_targets(edges * self.radial(geometry.to_atoms))
        return self.layers(self.scale(summed, edges))


class JoinAtoms(nn.Module):
    """Edge features from the edge's two atoms and something of its own.

    A dense layer on the three side by side, of which the atoms' parts are computed once for each
    atom rather than once for each of its edges.
    """

    def __init__(self, width: int, own: int) -> None:
        super().__init__()
        self.join = Dense(2 * width + own, width)

    def forward(self, graph: Graph, atoms: Tensor, own: Tensor) -> Tensor:
        """Return the edges' features, shape (e, width)."""
        width = atoms.shape[1]
        ends, last = self.join.weight.split([2 * width, own.shape[1]], dim=1)
        source, target = ends.split(width, dim=1)
        joined = (
            F.linear(own, last)
            + F.linear(atoms, source).index_select(0, graph.source)
            + F.linear(atoms, target).index_select(0, graph.target)
        )
        return F.silu(joined) * SILU_GAIN


class Forces(nn.Module):
    """Output layers for the force along each edge on its target."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Dense(width, width), *(Residual(width) for _ in range(RESIDUALS_FORCE))
        )
        self.radial = Dense(BASIS_WIDTH, width, activated=False)
        self.scale = Scale()
        self.strength = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.strength.weight)  # begins by leaving all atoms where they are

    def forward(self, edges: Tensor, geometry: Geometry) -> Tensor:
        """Return the force along each edge, shape (e, 1)."""
        x = self.layers(edges)
        return self.strength(self.scale(x * self.radial(geometry.to_forces), x))
