"""Crystals as graphs: immutable, batched, periodic."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from alloop.models.pcdvae.networks.crystal import (
    COINCIDENCE_DISTANCE,
    FloatArray,
    IntArray,
    ReducedCrystal,
)
from alloop.models.pcdvae.networks.neighbours import mutual, nearest


@dataclass(frozen=True)
class Graph:
    """Graph of a batch of crystals: atoms and directed edges.

    An edge goes from a source atom's image to a target atom. Every edge's reverse is an edge too:
    a pair is kept where each of the two atoms counts the other's image among its nearest, so no
    atom has more edges than it may have neighbours.

    What networks need of the geometry is unchanged by rotations and translations of a crystal, by
    the order of its atoms, by the choice of its cell vectors, and by moving an atom by a lattice
    vector; the directions rotate.
    """

    crystal: Tensor
    """Index of the crystal that each atom belongs to, shape (n,)."""
    n_atoms: Tensor
    """Number of atoms of each crystal, shape (b,)."""
    target: Tensor
    """Index of each edge's target atom, shape (e,); not decreasing."""
    source: Tensor
    """Index of each edge's source atom, shape (e,)."""
    reverse: Tensor
    """Row of each edge's reverse, shape (e,)."""
    slot: Tensor
    """Place of each edge among its target's, shape (e,), as a row of an array (n * width)."""
    width: int
    """Largest number of edges of any target."""
    distance: Tensor
    """Length of each edge, Å, shape (e,)."""
    direction: Tensor
    """Unit vector from the target to the source's image, shape (e, 3)."""

    @classmethod
    def of(
        cls,
        positions: FloatArray,
        cells: FloatArray,
        n_atoms: IntArray,
        *,
        k: int,
        cutoff: float,
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """Build the graph of a batch; arguments as in ``neighbours.nearest``."""
        pairs, reverse = mutual(nearest(positions, cells, n_atoms, k=k, cutoff=cutoff))
        n, n_edges = len(positions), len(pairs)
        degree = np.bincount(pairs.target, minlength=n)
        width = int(degree.max(initial=1))
        first = np.cumsum(degree) - degree
        slot = pairs.target * width + np.arange(n_edges) - first[pairs.target]
        # Noise may put two atoms on one point, which has no direction to itself.
        distance = pairs.distance.clip(min=COINCIDENCE_DISTANCE)
        direction = pairs.vector / distance[:, None]
        return cls(
            crystal=torch.from_numpy(np.repeat(np.arange(len(n_atoms)), n_atoms)),
            n_atoms=torch.from_numpy(n_atoms),
            target=torch.from_numpy(pairs.target),
            source=torch.from_numpy(pairs.source),
            reverse=torch.from_numpy(reverse),
            slot=torch.from_numpy(slot),
            width=width,
            distance=torch.from_numpy(distance).to(dtype),
            direction=torch.from_numpy(direction).to(dtype),
        )

    @classmethod
    def of_crystals(
        cls,
        crystals: Sequence[ReducedCrystal],
        *,
        k: int,
        cutoff: float,
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """Build the graph of some crystals as they are."""
        return cls.of(
            np.concatenate([crystal.positions for crystal in crystals]),
            np.stack([crystal.cell for crystal in crystals]),
            np.array([len(crystal) for crystal in crystals]),
            k=k,
            cutoff=cutoff,
            dtype=dtype,
        )

    @property
    def n(self) -> int:
        """Number of atoms."""
        return len(self.crystal)

    def to(self, device: torch.device) -> Self:
        """Return the graph on a device."""
        moved: dict[str, Any] = {
            field.name: value.to(device)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return replace(self, **moved)

    def sum_at_targets(self, of_edges: Tensor) -> Tensor:
        """Return the sums over each atom's edges, shape (e, c) to (n, c)."""
        zeros = of_edges.new_zeros(self.n, of_edges.shape[1])
        return zeros.index_add(0, self.target, of_edges)

    def mean_over_atoms(self, of_atoms: Tensor) -> Tensor:
        """Return the means over each crystal's atoms, shape (n, c) to (b, c)."""
        zeros = of_atoms.new_zeros(len(self.n_atoms), of_atoms.shape[1])
        return zeros.index_add(0, self.crystal, of_atoms) / self.n_atoms[:, None]


def collate(graphs: Sequence[Graph]) -> Graph:
    """Return one graph of all the graphs' crystals, in their order."""
    width = max(graph.width for graph in graphs)
    atoms = np.cumsum([0, *(graph.n for graph in graphs)])[:-1].tolist()
    edges = np.cumsum([0, *(len(graph.target) for graph in graphs)])[:-1].tolist()
    crystals = np.cumsum([0, *(len(graph.n_atoms) for graph in graphs)])[:-1].tolist()
    return Graph(
        crystal=torch.cat([g.crystal + first for g, first in zip(graphs, crystals, strict=True)]),
        n_atoms=torch.cat([graph.n_atoms for graph in graphs]),
        target=torch.cat([g.target + first for g, first in zip(graphs, atoms, strict=True)]),
        source=torch.cat([g.source + first for g, first in zip(graphs, atoms, strict=True)]),
        reverse=torch.cat([g.reverse + first for g, first in zip(graphs, edges, strict=True)]),
        slot=torch.cat(
            [
                (g.target + first) * width + g.slot % g.width
                for g, first in zip(graphs, atoms, strict=True)
            ]
        ),
        width=width,
        distance=torch.cat([graph.distance for graph in graphs]),
        direction=torch.cat([graph.direction for graph in graphs]),
    )


def triplets(graph: Graph) -> tuple[Tensor, Tensor]:
    """Return all ordered pairs of different edges with one target: rows (t,) and rows (t,).

    The networks sum over them without listing them (``alloop.models.pcdvae.networks.angles``).
    """
    n, width = graph.n, graph.width
    row = torch.full((n * width,), -1, dtype=torch.long)
    row[graph.slot] = torch.arange(len(graph.slot))
    of_target = row.reshape(n, width)
    first = of_target[:, :, None].expand(n, width, width)
    second = of_target[:, None, :].expand(n, width, width)
    is_triplet = (first >= 0) & (second >= 0) & (first != second)
    return first[is_triplet], second[is_triplet]
