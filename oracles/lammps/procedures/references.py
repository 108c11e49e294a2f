"""Energies of the pure elements, the reference of formation energies."""

from collections.abc import Iterator

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.lattices import CUBIC_SITES
from alloop.oracles.element_crystals import has_simple_crystal, natural_volume
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.simulation.cell import LammpsCell
from alloop.oracles.lammps.simulation.relaxation import relax_cell
from alloop.oracles.lammps.simulation.session import LammpsSession

VOLUMES_TRIED = tuple(float(x) for x in np.linspace(0.75, 1.5, 16))
"""Volumes from which the search for each crystal begins, relative to the element's volume in
nature."""

_TETRAHEDRA = ((0.25, 0.25, 0.25), (0.25, 0.75, 0.75), (0.75, 0.25, 0.75), (0.75, 0.75, 0.25))
_HEXAGONAL = Lattice.hexagonal(1.0, float(np.sqrt(8 / 3)))
_CRYSTALS = {
    "fcc": (Lattice.cubic(1.0), CUBIC_SITES["fcc"]),
    "bcc": (Lattice.cubic(1.0), CUBIC_SITES["bcc"]),
    "hcp": (_HEXAGONAL, ((1 / 3, 2 / 3, 0.25), (2 / 3, 1 / 3, 0.75))),
    "diamond": (Lattice.cubic(1.0), (*CUBIC_SITES["fcc"], *_TETRAHEDRA)),
}


def reference_energy(session: LammpsSession, element: str, options: LammpsOptions) -> float | None:
    """Return the energy per atom of an element in its stable crystal, eV.

    That is the one the potential names or, where it names none, the lowest of fcc, bcc, hcp and
    diamond under the potential. None for an element that in nature is none of these (a molecule,
    manganese), so that energies against it would mean nothing.
    """
    references = session.potential.references
    if element in references:
        known = references[element].structure(element)
        return _relaxed_energy(session, known, options)
    energies = []
    for crystal in _crystals(element):
        try:
            start = _best_scaled(session, crystal)
            energies.append(_relaxed_energy(session, start, options))
        except MeasurementFailed:
            continue  # under this potential the element is no such crystal
    return min(energies, default=None)


def reference_crystal(session: LammpsSession, element: str) -> Structure | None:
    """Return the crystal that the potential names as an element's, or the one of lowest energy at
    the best volume tried; None for an element that in nature is none of these."""
    references = session.potential.references
    if element in references:
        return references[element].structure(element)
    found = [_best_scaled(session, crystal) for crystal in _crystals(element)]
    return min(found, key=lambda crystal: _energy_per_atom(session, crystal), default=None)


def _energy_per_atom(session: LammpsSession, crystal: Structure) -> float:
    session.load([site.specie.symbol for site in crystal])
    cell = LammpsCell.of(crystal)
    return session.evaluate(cell.box, cell.positions).energy / len(crystal)


def _crystals(element: str) -> Iterator[Structure]:
    """Yield candidates at the element's natural volume (ASE's table of reference states)."""
    if not has_simple_crystal(element):
        return
    volume = natural_volume(element)
    for lattice, sites in _CRYSTALS.values():
        crystal = Structure(lattice, [element] * len(sites), sites)
        crystal.scale_lattice(volume * len(sites))
        yield crystal


def _best_scaled(session: LammpsSession, crystal: Structure) -> Structure:
    """Return a crystal at the volume of lowest energy among those tried."""
    session.load([site.specie.symbol for site in crystal])
    energies = []
    for factor in VOLUMES_TRIED:
        cell = LammpsCell.of(_scaled(crystal, factor))
        energies.append(session.evaluate(cell.box, cell.positions).energy)
    return _scaled(crystal, VOLUMES_TRIED[int(np.argmin(energies))])


def _scaled(crystal: Structure, factor: float) -> Structure:
    scaled = crystal.copy()
    scaled.scale_lattice(crystal.volume * factor)
    return scaled


def _relaxed_energy(session: LammpsSession, crystal: Structure, options: LammpsOptions) -> float:
    session.load([site.specie.symbol for site in crystal])
    found = relax_cell(session, LammpsCell.of(crystal), options)
    return found.evaluation.energy / len(crystal)
