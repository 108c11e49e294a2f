"""Checks that a material can be measured, made before LAMMPS sees it."""

import numpy as np
from pymatgen.core import Composition, Element, Lattice, Species, Structure

from alloop.materials import Material
from alloop.oracles.base import FailureKind
from alloop.oracles.crystal_checks import check_distances, check_volume
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.simulation.cell import LammpsCell


def cell_of(material: Material, potential: Potential) -> LammpsCell:
    """Return a structure in LAMMPS's frame.

    Raises:
        MeasurementFailed: saying why the material cannot be measured with this potential.
    """
    structure = _periodic_crystal(material)
    _check_species(structure, potential)
    _check_numbers(structure)
    cell = LammpsCell.of(structure)
    box = Lattice(cell.box)
    check_distances(Structure(box, structure.species, cell.positions, coords_are_cartesian=True))
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
    check_volume(abs(np.linalg.det(structure.lattice.matrix)) / len(structure))
