"""A LAMMPS session: boxes and positions go in, energies and forces come out.

LAMMPS is only ever given commands written here, with numbers in them; no text from a campaign
or a structure file reaches its parser.

Every evaluation builds its neighbour list afresh, in one box that is triclinic even where the
tilts are zero, with the atoms in the order they were given. So a result depends on what is
evaluated, bit for bit, and not on what was evaluated before.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.core import Element

from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.potentials.readable_files import readable_files
from alloop.oracles.lammps.simulation.cell import Array
from alloop.oracles.lammps.simulation.runtime import load_lammps

GPA_PER_EV_PER_CUBIC_ANGSTROM = 160.21765
"""Gigapascals per eV/Å³, as LAMMPS's metal units have it (CODATA 2018: 160.2176634)."""
GPA_PER_BAR = 1e-4

START = (
    "units metal",
    "atom_style atomic",
    "atom_modify map array sort 0 0.0",  # sorting would change the order of the sums
    "boundary p p p",
    "box tilt large",
)
"""Commands that every input begins with."""
_VOIGT = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Rows and columns of the six components, in the order of LAMMPS's compute pressure."""


@dataclass(frozen=True)
class PotentialEvaluation:
    """Energy, forces and pressure of one arrangement of atoms."""

    energy: float
    """Energy of the whole cell, eV."""
    forces: Array
    """Forces, eV/Å, shape (n, 3)."""
    pressure: Array
    """Pressure tensor (minus the stress tensor), GPa, shape (3, 3)."""


class LammpsSession:
    """One LAMMPS instance with one potential.

    Raises:
        MissingSoftware: if LAMMPS cannot be loaded.
        PotentialError: if a parameter file is missing or changed.
    """

    def __init__(self, potential: Potential, *, threads: int = 1) -> None:
        self.potential = potential
        # The list of neighbours serves one evaluation: no skin.
        self._lammps = open_lammps(potential, skin=0.0, threads=threads)

    def load(self, symbols: Sequence[str]) -> None:
        """Replace the atoms by others of the given elements, in this order."""
        self._lammps.command("delete_atoms group all compress yes")
        # The origin is inside every box; evaluate() puts them in place.
        create_atoms(self._lammps, self.potential, symbols, np.zeros((len(symbols), 3)))

    def evaluate(self, box: Array, positions: Array) -> PotentialEvaluation:
        """Return energy, forces and pressure of the loaded atoms.

        Args:
            box: lattice vectors as rows, lower triangular, Å, shape (3, 3).
            positions: Cartesian, Å, shape (n, 3); at most one edge outside the box.
        """
        set_box(self._lammps, box)
        coordinates = np.ascontiguousarray(positions, dtype=np.float64)
        self._lammps.scatter_atoms(
            "x", 1, 3, coordinates.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
        )
        self._lammps.command("run 0 post no")
        components = self._lammps.numpy.extract_compute("thermo_press", 0, 1)
        pressure = np.empty((3, 3))
        for (i, j), value in zip(_VOIGT, components, strict=True):
            pressure[i, j] = pressure[j, i] = value * GPA_PER_BAR
        forces = np.frombuffer(self._lammps.gather_atoms("f", 1, 3), dtype=np.float64)
        return PotentialEvaluation(
            self._lammps.get_thermo("pe"), forces.reshape(-1, 3).copy(), pressure
        )

    def close(self) -> None:
        """End the instance and free its memory."""
        self._lammps.close()


def open_lammps(potential: Potential, *, skin: float, threads: int = 1) -> Any:
    """Return a LAMMPS instance with a potential and no atoms.

    Args:
        potential: the potential.
        skin: how much farther than it reaches neighbours are listed, Å.
        threads: of OpenMP, where the pair style can use them.

    Raises:
        MissingSoftware: if LAMMPS cannot be loaded.
        PotentialError: if a parameter file is missing or changed.
    """
    arguments = ["-screen", "none", "-log", "none", "-nocite"]
    if threads > 1:
        arguments += ["-package", "omp", str(threads), "-suffix", "omp"]
    with readable_files(potential.files) as files:
        commands = potential.commands(files)
        lammps = load_lammps().lammps(cmdargs=arguments)
        for command in (
            *START,
            "region cell prism 0 10 0 10 0 10 0 0 0",
            f"neighbor {skin!r} bin",
            f"create_box {len(potential.elements)} cell",
            *commands,
            *masses(potential),
            "thermo_style custom step pe pxx pyy pzz pxy pxz pyz",
            "thermo_modify norm no",
        ):
            lammps.command(command)
    return lammps


def create_atoms(
    lammps: Any, potential: Potential, symbols: Sequence[str], positions: Array
) -> None:
    """Put atoms into an instance, numbered from 1 in this order; positions in Å, shape (n, 3)."""
    n = len(symbols)
    types = [potential.type_of(symbol) for symbol in symbols]
    created = lammps.create_atoms(
        n, list(range(1, n + 1)), types, positions.ravel().tolist(), shrinkexceed=False
    )
    if created != n:
        raise RuntimeError(f"LAMMPS took {created} of {n} atoms")


def set_box(lammps: Any, box: Array) -> None:
    """Set the lattice vectors: rows, lower triangular, Å, shape (3, 3). Atoms stay in place."""
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = box.tolist()
    lammps.command(
        f"change_box all x final 0 {lx!r} y final 0 {ly!r} z final 0 {lz!r} "
        f"xy final {xy!r} xz final {xz!r} yz final {yz!r} units box"
    )


def masses(potential: Potential) -> list[str]:
    """Return the commands that give every atom type its mass, which some pair styles do not."""
    return [
        f"mass {i} {float(Element(symbol).atomic_mass)!r}"
        for i, symbol in enumerate(potential.elements, start=1)
    ]
