"""Training rows: crystals read once, with their graphs and targets."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pymatgen.core import Structure
from torch import Tensor

from alloop.errors import MaterialError
from alloop.materials import Material
from alloop.models.base import Dataset
from alloop.models.pcdvae.cells import codes_from_cells
from alloop.models.pcdvae.networks.crystal import FloatArray, IntArray, ReducedCrystal
from alloop.models.pcdvae.networks.graph import Graph, collate
from alloop.models.pcdvae.vocabulary import Vocabulary


@dataclass(frozen=True)
class Batch:
    """A batch of training rows, collated."""

    positions: FloatArray
    """Cartesian positions of all atoms, at rest where that is known, Å, shape (n, 3)."""
    cells: FloatArray
    """Lattice vectors as rows, Å, shape (b, 3, 3)."""
    n_atoms: IntArray
    """Number of atoms of each crystal, shape (b,)."""
    graph: Graph
    """Graph of the crystals as the encoder sees them: relaxed, or as they were proposed."""
    seen_species: Tensor
    """Index of the element of each atom of ``graph``, shape (n,)."""
    species: Tensor
    """Index of the element of each atom of ``positions``, shape (n,)."""
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
    """Training rows of a dataset, read once: crystals, graphs and targets.

    The decoder learns the crystals at rest. The encoder will be asked about crystals that nothing
    has relaxed yet, so it sees them both ways, as the same z.
    """

    crystals: tuple[ReducedCrystal, ...]
    species: tuple[Tensor, ...]
    graphs: tuple[Graph, ...]
    proposed: tuple[tuple[Graph, Tensor] | None, ...]
    """Graph and elements of the crystals as proposed; None where nothing has relaxed them."""
    count: Tensor
    cell_code: Tensor
    labels: Tensor
    phase: Tensor
    is_augmented: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        data: Dataset,
        *,
        k: int,
        cutoff: float,
    ) -> "CrystalRows":
        """Read materials, at rest where that is known and can be represented.

        Raises:
            MaterialError: if one cannot be represented as proposed; no training has begun then.
        """
        proposed = list(zip(*vocabulary.read(data.materials), strict=True))
        pairs = zip(data.materials, relaxed_of(data), strict=True)
        at_rest = [_at_rest(material, relaxed, vocabulary) for material, relaxed in pairs]
        targets = [p if r is None else r for p, r in zip(proposed, at_rest, strict=True)]
        crystals, species = zip(*targets, strict=True)
        counts = [vocabulary.count(crystal) for crystal in crystals]
        cells = np.stack([crystal.cell for crystal in crystals])
        n_atoms = np.array([len(crystal) for crystal in crystals])
        return cls(
            crystals=crystals,
            species=species,
            graphs=tuple(Graph.of_crystals([c], k=k, cutoff=cutoff) for c in crystals),
            proposed=tuple(
                None if rest is None else (Graph.of_crystals([c], k=k, cutoff=cutoff), elements)
                for (c, elements), rest in zip(proposed, at_rest, strict=True)
            ),
            count=torch.tensor(counts),
            cell_code=torch.from_numpy(codes_from_cells(cells, n_atoms)).float(),
            labels=torch.from_numpy(data.labels).float(),
            # A parent is known in its own setting, in which crystals are proposed.
            phase=torch.tensor([vocabulary.phase(material) for material in data.materials]),
            is_augmented=data.is_augmented,
        )

    def __len__(self) -> int:
        return len(self.crystals)

    @property
    def are_proposed(self) -> bool:
        """Whether any crystal is known both at rest and as it was proposed."""
        return any(each is not None for each in self.proposed)

    def batch(
        self, rows: IntArray, device: torch.device, *, as_proposed: NDArray[np.bool_] | None = None
    ) -> Batch:
        """Collate some rows into a batch on a device.

        Args:
            rows: of the batch.
            device: of its tensors.
            as_proposed: of which of the rows the encoder sees the crystal as it was proposed, where
                it is known at rest as well; None for none.
        """
        crystals = [self.crystals[row] for row in rows]
        shown = np.zeros(len(rows), dtype=bool) if as_proposed is None else as_proposed
        seen = [self._seen(row, bool(raw)) for row, raw in zip(rows, shown, strict=True)]
        return Batch(
            positions=np.concatenate([crystal.positions for crystal in crystals]),
            cells=np.stack([crystal.cell for crystal in crystals]),
            n_atoms=np.array([len(crystal) for crystal in crystals]),
            graph=collate([graph for graph, _ in seen]).to(device),
            seen_species=torch.cat([species for _, species in seen]).to(device),
            species=torch.cat([self.species[row] for row in rows]).to(device),
            count=self.count[rows].to(device),
            cell_code=self.cell_code[rows].to(device),
            labels=self.labels[rows].to(device),
            phase=self.phase[rows].to(device),
        )

    def _seen(self, row: int, as_proposed: bool) -> tuple[Graph, Tensor]:
        """Return graph and elements of a row's crystal, as proposed or at rest."""
        proposed = self.proposed[row] if as_proposed else None
        return proposed or (self.graphs[row], self.species[row])


def relaxed_of(data: Dataset) -> tuple[Material | None, ...]:
    """Return each row's material at rest; None where it is not known."""
    return data.relaxed or (None,) * len(data)


def _at_rest(
    material: Material, relaxed: Material | None, vocabulary: Vocabulary
) -> tuple[ReducedCrystal, Tensor] | None:
    """Return the relaxed crystal and its elements; None where there is none, or one with other
    atoms than were proposed, or that cannot be represented: its atoms overlap, its cell is flat."""
    if not isinstance(material, Structure) or not isinstance(relaxed, Structure):
        return None
    if material.composition != relaxed.composition:
        return None
    try:
        (crystal,), (species,) = vocabulary.read([relaxed])
        vocabulary.count(crystal)
    except MaterialError:
        return None
    return crystal, species
