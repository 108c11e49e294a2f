"""From a proposed material to the cell that an engine is given, and back."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from pymatgen.core import Element, Species, Structure

from alloop.materials import Material
from alloop.oracles.base import FailureKind
from alloop.oracles.dft.failure import CalculationFailed

MIN_DISTANCE = 0.5
"""Least distance between two atoms of a solid, Å (H–H in H2: 0.74)."""
VOLUMES_PER_ATOM = (2.0, 200.0)
"""Smallest and largest volume per atom, Å³. Diamond has 5.7, caesium 115; a plane-wave calculation
pays for every Å³ of vacuum."""


@dataclass(frozen=True)
class SortedStructure:
    """A structure whose sites are sorted by element, as VASP's files want them."""

    structure: Structure
    """Structure with its sites sorted by element, without charges or other site properties."""
    original_indices: tuple[int, ...]
    """Index in the proposed structure of each sorted site."""

    @classmethod
    def of(cls, material: Material) -> Self:
        """Check and sort a material.

        Raises:
            CalculationFailed: saying why it cannot be calculated.
        """
        if not isinstance(material, Structure):
            raise _unsupported("a composition has no sites; DFT calculates structures")
        if len(material) == 0 or not material.is_ordered or not all(material.lattice.pbc):
            raise _unsupported("it is no ordered, periodic crystal with at least one atom")
        if strange := [s for s in material.species if not isinstance(s, Element | Species)]:
            raise _unsupported(f"{strange[0]} is not an element")
        elements = [Element(getattr(s, "element", s).symbol) for s in material.species]
        _check_numbers(material)
        original_indices = sorted(
            range(len(elements)), key=lambda i: (elements[i].X, elements[i].symbol, i)
        )
        structure = Structure(
            material.lattice,
            [elements[i] for i in original_indices],
            [material.frac_coords[i] for i in original_indices],
        )
        return cls(structure, tuple(original_indices))

    def in_original_order(self, calculated: Structure) -> Structure:
        """Return a calculated cell with its sites in the proposed order."""
        order = np.argsort(self.original_indices)
        return Structure(
            calculated.lattice,
            [calculated[int(i)].specie for i in order],
            [calculated[int(i)].frac_coords for i in order],
        )


def _check_numbers(structure: Structure) -> None:
    if not (
        np.isfinite(structure.lattice.matrix).all() and np.isfinite(structure.frac_coords).all()
    ):
        raise CalculationFailed(
            FailureKind.UNPHYSICAL, "a lattice vector or a position is not finite"
        )
    volume, (low, high) = structure.volume / len(structure), VOLUMES_PER_ATOM
    if not low <= volume <= high:
        raise CalculationFailed(
            FailureKind.UNPHYSICAL,
            f"a volume of {volume:.3g} Å³ per atom is not a solid's ({low:g} to {high:g})",
        )
    first, second, _, distances = structure.get_neighbor_list(MIN_DISTANCE)
    if len(distances):
        at = int(np.argmin(distances))
        raise CalculationFailed(
            FailureKind.LOST_ATOMS,
            f"sites {first[at]} and {second[at]} overlap: they are {distances[at]:.2f} Å apart",
        )


def _unsupported(message: str) -> CalculationFailed:
    return CalculationFailed(FailureKind.UNSUPPORTED, message)
