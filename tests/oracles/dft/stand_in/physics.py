"""What the test double calculates: a MEAM potential in LAMMPS, relaxed by ASE."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.lammpslib import LAMMPSlib
from ase.filters import FrechetCellFilter
from ase.optimize import LBFGS
from ase.units import GPa

from alloop.oracles.lammps.simulation.runtime import load_lammps

ROOT = Path(__file__).resolve().parents[4]
FILES = ROOT / "oracles" / "lammps" / "potentials" / "NiFeCr-Wu2017"
TYPES = {"Ni": 1, "Cr": 2, "Fe": 3}
CURVATURE = 15.0


@dataclass(frozen=True)
class Step:
    """One ionic step."""

    atoms: Atoms
    energy: float
    """eV."""
    forces: np.ndarray
    """eV/Å, shape (n, 3)."""
    stress: np.ndarray
    """kB with VASP's sign, shape (3, 3)."""

    def without_energy(self) -> "Step":
        """Return the same step with an energy that is no number."""
        return replace(self, energy=float("nan"))


def relax(atoms: Atoms, incar: dict, *, stop: bool) -> list[Step]:
    """Return the first and the last ionic step; both are the same where NSW is 0."""
    load_lammps()  # with its MPI, which LAMMPSlib would not find
    atoms.calc = LAMMPSlib(
        lmpcmds=[
            "pair_style meam",
            f"pair_coeff * * {FILES / 'library.meam'} Ni Cr Fe {FILES / 'NiFeCr.meam'} Ni Cr Fe",
        ],
        atom_types=TYPES,
        keep_alive=True,
        log_file=None,
    )
    first = _step(atoms)
    if incar.get("NSW", 0) > 0 and not stop:
        moving = FrechetCellFilter(atoms) if incar.get("ISIF", 2) == 3 else atoms
        tolerance = -float(incar.get("EDIFFG", -0.02))
        LBFGS(moving, logfile=None, alpha=CURVATURE).run(fmax=tolerance, steps=incar["NSW"])
    return [first, _step(atoms)]


def _step(atoms: Atoms) -> Step:
    stress = -atoms.get_stress(voigt=False) / GPa * 10
    return Step(atoms.copy(), float(atoms.get_potential_energy()), atoms.get_forces(), stress)
