"""Training rows: crystals read once, with their graphs and targets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alloop.materials import Material
from alloop.models.pcdvae.cells import codes_from_cells
from alloop.models.pcdvae.networks.crystal import FloatArray, IntArray, ReducedCrystal
from alloop.models.pcdvae.networks.graph import Graph, collate
from alloop.models.pcdvae.vocabulary import Vocabulary


@dataclass(frozen=True)
class Batch:
    """A batch of training rows, collated."""

    positions: FloatArray
    """Cartesian positions of all atoms, Å, shape (n, 3)."""
    cells: FloatArray
    """Lattice vectors as rows, Å, shape (b, 3, 3)."""
    n_atoms: IntArray
    """Number of atoms of each crystal, shape (b,)."""
    graph: Graph
    species: Tensor
    """Index of each atom's element, shape (n,)."""
    count: Tensor
    """Index of each crystal's number of atoms in the vocabulary, shape (b,)."""
    cell_code: Tensor
    """Code of each cell (``alloop.models.pcdvae.cells``), shape (b, 6)."""
    labels: Tensor
    """Property values in their units, NaN where unknown, shape (b, p)."""
    phase: Tensor
    """Index of each crystal's parent lattice, or UNKNOWN_PHASE, shape (b,)."""


@dataclass(frozen=True)
class CrystalRows:
    """Training rows of a dataset, read once: crystals, graphs and targets."""

    crystals: tuple[ReducedCrystal, ...]
    species: tuple[Tensor, ...]
    graphs: tuple[Graph, ...]
    count: Tensor
    cell_code: Tensor
    labels: Tensor
    phase: Tensor
    is_augmented: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        materials: Sequence[Material],
        labels: NDArray[np.float64],
        is_augmented: NDArray[np.bool_],
        *,
        k: int,
        cutoff: float,
    ) -> "CrystalRows":
        """Read materials.

        Raises:
            MaterialError: if one cannot be represented; no training has begun then.
        """
        crystals, species = vocabulary.read(materials)
        counts = [vocabulary.count(crystal) for crystal in crystals]
        cells = np.stack([crystal.cell for crystal in crystals])
        n_atoms = np.array([len(crystal) for crystal in crystals])
        return cls(
            crystals=tuple(crystals),
            species=tuple(species),
            graphs=tuple(Graph.of_crystals([c], k=k, cutoff=cutoff) for c in crystals),
            count=torch.tensor(counts),
            cell_code=torch.from_numpy(codes_from_cells(cells, n_atoms)).float(),
            labels=torch.from_numpy(labels).float(),
            phase=torch.tensor([vocabulary.phase(material) for material in materials]),
            is_augmented=is_augmented,
        )

    def __len__(self) -> int:
        return len(self.crystals)

    def batch(self, rows: IntArray, device: torch.device) -> Batch:
        """Collate some rows into a batch on a device."""
        crystals = [self.crystals[row] for row in rows]
        return Batch(
            positions=np.concatenate([crystal.positions for crystal in crystals]),
            cells=np.stack([crystal.cell for crystal in crystals]),
            n_atoms=np.array([len(crystal) for crystal in crystals]),
            graph=collate([self.graphs[row] for row in rows]).to(device),
            species=torch.cat([self.species[row] for row in rows]).to(device),
            count=self.count[rows].to(device),
            cell_code=self.cell_code[rows].to(device),
            labels=self.labels[rows].to(device),
            phase=self.phase[rows].to(device),
        )
