"""Checks that a material is a crystal that can be simulated, made before anything is."""

import numpy as np
from pymatgen.core import Element, Species, Structure

from alloop.materials import Material
from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed

MIN_DISTANCE = 0.5
"""Least distance between two atoms of a solid, Å (H–H in H2: 0.74)."""
VOLUMES_PER_ATOM = (2.0, 200.0)
"""Smallest and largest volume per atom, Å³. Diamond has 5.7, caesium 115; far outside there is
vacuum, or a unit is wrong. A plane-wave calculation pays for every Å³ of vacuum, and LAMMPS would
spend memory without end on empty or thin boxes."""


def checked_crystal(material: Material) -> Structure:
    """Return a material as a structure of elements, in its own order of sites, without charges or
    other site properties.

    Raises:
        MeasurementFailed: saying why it cannot be simulated.
    """
    if not isinstance(material, Structure):
        raise _unsupported("a composition has no sites; structures are measured")
    if len(material) == 0 or not material.is_ordered or not all(material.lattice.pbc):
        raise _unsupported("it is no ordered, periodic crystal with at least one atom")
    if strange := [s for s in material.species if not isinstance(s, Element | Species)]:
        raise _unsupported(f"{strange[0]} is not an element")
    _check_numbers(material)
    elements = [Element(getattr(s, "element", s).symbol) for s in material.species]
    return Structure(material.lattice, elements, material.frac_coords)


def _check_numbers(structure: Structure) -> None:
    if not (
        np.isfinite(structure.lattice.matrix).all() and np.isfinite(structure.frac_coords).all()
    ):
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL, "a lattice vector or a position is not finite"
        )
    check_volume(structure.volume / len(structure))
    check_distances(structure)


def check_volume(volume: float) -> None:
    """Check a volume per atom, Å³.

    Raises:
        MeasurementFailed: if it is not a solid's.
    """
    low, high = VOLUMES_PER_ATOM
    if not low <= volume <= high:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"a volume of {volume:.3g} Å³ per atom is not a solid's ({low:g} to {high:g})",
        )


def check_distances(structure: Structure) -> None:
    """Check that no two atoms overlap.

    Raises:
        MeasurementFailed: naming the two that are nearest.
    """
    first, second, _, distances = structure.get_neighbor_list(MIN_DISTANCE)
    if len(distances):
        at = int(np.argmin(distances))
        raise MeasurementFailed(
            FailureKind.LOST_ATOMS,
            f"sites {first[at]} and {second[at]} overlap: they are {distances[at]:.2f} Å apart",
        )


def _unsupported(message: str) -> MeasurementFailed:
    return MeasurementFailed(FailureKind.UNSUPPORTED, message)
