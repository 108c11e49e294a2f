"""From a proposed material to the cell that an engine is given, and back."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from pymatgen.core import Structure

from alloop.materials import Material
from alloop.oracles.crystal_checks import checked_crystal


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
            MeasurementFailed: saying why it cannot be calculated.
        """
        crystal = checked_crystal(material)
        elements = [site.specie for site in crystal]
        original_indices = sorted(
            range(len(elements)), key=lambda i: (elements[i].X, elements[i].symbol, i)
        )
        structure = Structure(
            crystal.lattice,
            [elements[i] for i in original_indices],
            [crystal.frac_coords[i] for i in original_indices],
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
