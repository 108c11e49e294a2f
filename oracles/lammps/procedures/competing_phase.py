"""The same composition on the other parent lattice, so that the phase is measured, not assumed."""

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.lattices import OTHER_LATTICE, LatticeName
from alloop.oracles.base import FailureKind
from alloop.oracles.crystal_frame import parent_frame
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.simulation.cell import LammpsCell
from alloop.oracles.lammps.simulation.relaxation import VOLUME, RelaxedCrystal, relax_cell
from alloop.oracles.lammps.simulation.session import LammpsSession

_BAIN_STRETCH = 2 ** (-1 / 3)
"""Bain stretch: fcc shortened by this along one edge of the cube, and widened by the inverse root
along the others, is bcc of the same volume (Bain, Trans. AIME 70 (1924) 25)."""


def measure_competing_phase(
    session: LammpsSession, cell: LammpsCell, crystal: RelaxedCrystal, options: LammpsOptions
) -> dict[str, float]:
    """Return the energy of the other lattice minus the crystal's, in eV/atom.

    Negative where the crystal is the stable one of the two. Of the three ways to strain the
    crystal into the other lattice the lowest counts. Where none of them stays what it should be
    when its cell relaxes, the other lattice is no phase of this alloy, and stands with a cell
    relaxed in volume only.

    Raises:
        MeasurementFailed: if the sites of the crystal form no fcc or bcc lattice.
    """
    bulk = crystal.structure(cell)
    n = len(bulk)
    session.load([site.specie.symbol for site in bulk])
    variants = [LammpsCell.of(other) for other in on_other_parent(bulk)]
    name = OTHER_LATTICE[_parent(bulk)]
    relaxed = [_try_to_relax(session, variant, options, name) for variant in variants]
    energies = [energy for energy in relaxed if energy is not None] or [
        relax_cell(session, variant, options, free=VOLUME).evaluation.energy for variant in variants
    ]
    return {"energy_above_competing_phase": (crystal.evaluation.energy - min(energies)) / n}


def on_other_parent(structure: Structure) -> list[Structure]:
    """Return the decoration of fcc as three of bcc, or that of bcc as three of fcc, unrelaxed.

    Raises:
        MeasurementFailed: if the sites form neither.
    """
    name = _parent(structure)
    frame = parent_frame(structure)
    assert frame is not None
    squeeze = _BAIN_STRETCH if name == "fcc" else 1 / _BAIN_STRETCH
    found = []
    for axis in range(3):
        stretch = np.full(3, squeeze**-0.5)
        stretch[axis] = squeeze
        gradient = frame.rotation.T @ np.diag(stretch) @ frame.rotation
        lattice = Lattice(structure.lattice.matrix @ gradient)
        found.append(Structure(lattice, structure.species, structure.frac_coords))
    return found


def _parent(structure: Structure) -> LatticeName:
    frame = parent_frame(structure)
    if frame is None or frame.parent is None:
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED,
            "after relaxation its sites form no fcc or bcc lattice that another could compete with",
        )
    return frame.parent


def _try_to_relax(
    session: LammpsSession, cell: LammpsCell, options: LammpsOptions, name: LatticeName
) -> float | None:
    """Return the energy of the relaxed cell, or None if it is no longer on the lattice."""
    try:
        found = relax_cell(session, cell, options)
    except MeasurementFailed:
        return None
    frame = parent_frame(found.structure(cell))
    return found.evaluation.energy if frame is not None and frame.parent == name else None
