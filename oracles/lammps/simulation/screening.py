"""Checks that a material can be measured, made before LAMMPS sees it."""

import numpy as np
from pymatgen.core import Composition, Element, Lattice, Species, Structure

from alloop.materials import Material
from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.simulation.cell import LammpsCell

MIN_DISTANCE = 0.5
"""Least distance between two atoms of a solid, Å (H–H in H2: 0.74)."""
VOLUMES_PER_ATOM = (2.0, 200.0)
"""Smallest and largest volume per atom, Å³. Diamond has 5.7, caesium 115; far outside there is
vacuum, or a unit is wrong, and LAMMPS would spend memory without end on empty or thin boxes."""


def cell_of(material: Material, potential: Potential) -> LammpsCell:
    """Return a structure in LAMMPS's frame.

    Raises:
        MeasurementFailed: saying why the material cannot be measured with this potential.
    """
    structure = _periodic_crystal(material)
    _check_species(structure, potential)
    _check_numbers(structure)
    cell = LammpsCell.of(structure)
    _check_distances(cell)
    return cell


def _periodic_crystal(material: Material) -> Structure:
    if isinstance(material, Composition):
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED, "a composition has no sites; LAMMPS measures structures"
        )
    if not isinstance(material, Structure):
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED, f"a {type(material).__name__} is not a crystal structure"
        )
    if not all(material.lattice.pbc):
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED, "the structure is not periodic in all three directions"
        )
    if len(material) == 0:
        raise MeasurementFailed(FailureKind.UNSUPPORTED, "the structure has no atoms")
    if not material.is_ordered:
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED, "the structure has partly occupied sites; order it first"
        )
    return material


def elements_of(structure: Structure) -> list[str]:
    """Return the element of every site, in order; charges are of no interest here."""
    return [getattr(site.specie, "element", site.specie).symbol for site in structure]


def _check_species(structure: Structure, potential: Potential) -> None:
    if strange := [s for s in structure.species if not isinstance(s, Element | Species)]:
        raise MeasurementFailed(FailureKind.UNSUPPORTED, f"{strange[0]} is not an element")
    if missing := sorted(set(elements_of(structure)) - set(potential.elements)):
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED,
            f"the potential {potential.name} has no {', '.join(missing)}; "
            f"it covers {', '.join(potential.elements)}",
        )


def _check_numbers(structure: Structure) -> None:
    if not np.isfinite(structure.lattice.matrix).all():
        raise MeasurementFailed(FailureKind.UNPHYSICAL, "a lattice vector is not finite")
    if not np.isfinite(structure.frac_coords).all():
        raise MeasurementFailed(FailureKind.UNPHYSICAL, "a position is not finite")
    volume = abs(np.linalg.det(structure.lattice.matrix)) / len(structure)
    low, high = VOLUMES_PER_ATOM
    if not low <= volume <= high:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"a volume of {volume:.3g} Å³ per atom is not a solid's ({low:g} to {high:g})",
        )


def _check_distances(cell: LammpsCell) -> None:
    box = Structure(
        Lattice(cell.box), cell.structure.species, cell.positions, coords_are_cartesian=True
    )
    first, second, _, distances = box.get_neighbor_list(MIN_DISTANCE)
    if len(distances):
        closest = int(np.argmin(distances))
        raise MeasurementFailed(
            FailureKind.LOST_ATOMS,
            f"sites {first[closest]} and {second[closest]} overlap: they are "
            f"{distances[closest]:.2f} Å apart",
        )
