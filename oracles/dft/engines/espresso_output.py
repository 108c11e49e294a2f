"""What pw.x of Quantum ESPRESSO printed: bands of the electrons, their gap, the moment."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.io import read
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.electronic_structure.bandstructure import BandStructure
from pymatgen.electronic_structure.core import Spin
from pymatgen.io.ase import AseAtomsAdaptor

OUTPUT, SELF_CONSISTENT = "espresso.pwo", "scf.pwo"
"""Names of the file, as ASE has it, and of the self-consistent run's where bands on another mesh
followed: these print no moment."""
WHOLE = 0.05
"""Largest distance of a total moment from a whole number of µB in a material with a gap, µB."""


@dataclass(frozen=True)
class PwBands:
    """Bands on a mesh of k-points, which is enough of it for the crystal's symmetry."""

    structure: Structure
    k_points: NDArray[np.float64]
    """Coordinates in the axes of the reciprocal cell, shape (k, 3)."""
    energies: NDArray[np.float64]
    """Energies in eV, shape (spins, k, bands), ascending in the last axis."""
    fermi: float
    """Fermi energy as printed, eV."""
    n_electrons: float
    """Valence electrons of the cell."""
    moment: float | None
    """Total moment, µB; None without spin."""

    @property
    def edges(self) -> tuple[float, float] | None:
        """Highest occupied and lowest empty energy, eV; None for a metal.

        Electrons are counted, band by band, so that no smearing has a part in it.
        """
        if len(self.energies) == 1:
            counts = [self.n_electrons / 2]
        else:
            moment = self.moment or 0.0
            counts = [(self.n_electrons + sign * moment) / 2 for sign in (1, -1)]
        occupied, empty = [], []
        for energies, count in zip(self.energies, counts, strict=True):
            n = round(count)
            if abs(count - n) > WHOLE / 2 or not 0 <= n < energies.shape[1]:
                return None
            occupied.append(energies[:, n - 1].max() if n else -np.inf)
            empty.append(energies[:, n].min())
        top, bottom = float(max(occupied)), float(min(empty))
        return (top, bottom) if top < bottom else None

    @property
    def gap(self) -> float:
        """Gap between occupied and empty states on this mesh, eV; 0 for a metal."""
        return 0.0 if self.edges is None else self.edges[1] - self.edges[0]

    def band_structure(self) -> BandStructure:
        """Return pymatgen's record of these, its Fermi energy in the middle of the gap if any."""
        fermi = self.fermi if self.edges is None else sum(self.edges) / 2
        spins = (Spin.up, Spin.down)[: len(self.energies)]
        return BandStructure(
            self.k_points.tolist(),
            {spin: each.T for spin, each in zip(spins, self.energies, strict=True)},
            self.structure.lattice.reciprocal_lattice,
            fermi,
            structure=self.structure,
        )


def read_bands(path: Path) -> PwBands | None:
    """Return the bands that stand in an output; None if they do not, as after a failure or without
    ``verbosity: high``.

    Args:
        path: output of pw.x, of one cell.
    """
    text = path.read_text("utf-8", "replace")
    before = path.with_name(SELF_CONSISTENT)
    moment = moment_in(text)
    if moment is None and before.exists():
        moment = moment_in(before.read_text("utf-8", "replace"))
    counted = _numbers(text, "number of electrons")
    try:
        atoms = read(path, index=-1, format="espresso-out")
        points = atoms.calc.kpts
        k_points = atoms.calc.get_ibz_k_points()
    except Exception:  # ASE raises what it stumbles over
        return None
    if not points or not counted or atoms.calc.eFermi is None or k_points is None:
        return None
    n_spins = len({point.s for point in points})
    energies = np.stack(
        [np.stack([point.eps_n for point in points if point.s == spin]) for spin in range(n_spins)]
    )
    if not np.isfinite(energies).all() or len(k_points) != energies.shape[1]:
        return None
    return PwBands(
        AseAtomsAdaptor.get_structure(atoms),
        np.asarray(k_points, dtype=float),
        np.sort(energies, axis=-1),
        float(atoms.calc.eFermi),
        counted[-1],
        moment,
    )


def moment_in(text: str) -> float | None:
    """Return the total moment in µB that pw.x printed last; None if it printed none."""
    found = _numbers(text, "total magnetization", unit="Bohr mag/cell")
    return found[-1] if found else None


def _numbers(text: str, name: str, *, unit: str = "") -> list[float]:
    """Return the numbers of all lines ``name = number unit``."""
    return [
        float(line.split("=")[1].split()[0])
        for line in text.splitlines()
        if line.strip().startswith(name) and "=" in line and unit in line
    ]
