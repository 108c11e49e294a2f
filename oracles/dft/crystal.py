"""From a proposed material to the cell that an engine is given, and back."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from pymatgen.core import Element, Species, Structure

from alloop.materials import Material
from alloop.oracles.base import FailureKind
from alloop.oracles.dft.failure import Undetermined

CLOSEST = 0.5
"""Least distance between two atoms of a solid, Å (H–H in H2: 0.74)."""
VOLUMES_PER_ATOM = (2.0, 200.0)
"""Smallest and largest volume per atom, Å³. Diamond has 5.7, caesium 115; a plane-wave calculation
pays for every Å³ of vacuum."""


@dataclass(frozen=True)
class Crystal:
    """A structure whose sites are sorted by element, as VASP's files want them."""

    structure: Structure
    """Structure with its sites sorted by element, without charges or other site properties."""
    places: tuple[int, ...]
    """Index in the proposed structure of each sorted site."""

    @classmethod
    def of(cls, material: Material) -> Self:
        """Check and sort a material.

        Raises:
            Undetermined: saying why it cannot be calculated.
        """
        if not isinstance(material, Structure):
            raise _unsupported("a composition has no sites; DFT calculates structures")
        if len(material) == 0 or not material.is_ordered or not all(material.lattice.pbc):
            raise _unsupported("it is no ordered, periodic crystal with at least one atom")
        if strange := [s for s in material.species if not isinstance(s, Element | Species)]:
            raise _unsupported(f"{strange[0]} is not an element")
        elements = [Element(getattr(s, "element", s).symbol) for s in material.species]
        _check_numbers(material)
        places = sorted(range(len(elements)), key=lambda i: (elements[i].X, elements[i].symbol, i))
        structure = Structure(
            material.lattice,
            [elements[i] for i in places],
            [material.frac_coords[i] for i in places],
        )
        return cls(structure, tuple(places))

    def as_proposed(self, calculated: Structure) -> Structure:
        """Return a calculated cell with its sites in the proposed order."""
        order = np.argsort(self.places)
        return Structure(
            calculated.lattice,
            [calculated[int(i)].specie for i in order],
            [calculated[int(i)].frac_coords for i in order],
        )


def _check_numbers(structure: Structure) -> None:
    if not (
        np.isfinite(structure.lattice.matrix).all() and np.isfinite(structure.frac_coords).all()
    ):
        raise Undetermined(FailureKind.ABSURD, "a lattice vector or a position is not finite")
    volume, (low, high) = structure.volume / len(structure), VOLUMES_PER_ATOM
    if not low <= volume <= high:
        raise Undetermined(
            FailureKind.ABSURD,
            f"a volume of {volume:.3g} Å³ per atom is not a solid's ({low:g} to {high:g})",
        )
    first, second, _, distances = structure.get_neighbor_list(CLOSEST)
    if len(distances):
        at = int(np.argmin(distances))
        raise Undetermined(
            FailureKind.LOST_ATOMS,
            f"sites {first[at]} and {second[at]} overlap: they are {distances[at]:.2f} Å apart",
        )


def _unsupported(message: str) -> Undetermined:
    return Undetermined(FailureKind.UNSUPPORTED, message)
