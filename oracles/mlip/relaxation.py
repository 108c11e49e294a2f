"""Relaxation of cells and atoms by ASE's L-BFGS, in few evaluations."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms, units
from ase.filters import FrechetCellFilter
from ase.optimize import LBFGS
from numpy.typing import NDArray

from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.relaxation_scales import CURVATURE, LONGEST_STEP, cell_scale, max_step

if TYPE_CHECKING:
    from alloop.oracles.mlip.options import MlipOptions

Array = NDArray[np.float64]


def relax_cell(atoms: Atoms, options: "MlipOptions") -> None:
    """Relax a cell and its atoms in place, to the options' tolerances.

    Raises:
        MeasurementFailed: if it does not converge, breaks down, or the volume changes by more than
            the options allow.
    """
    before, n = float(atoms.get_volume()), len(atoms)
    scaled = FrechetCellFilter(atoms, exp_cell_factor=cell_scale(n))

    def check() -> bool:
        return (
            largest_force(atoms) <= options.force_tolerance
            and float(np.abs(stress(atoms)).max()) <= options.stress_tolerance
        )

    optimizer = LBFGS(scaled, alpha=CURVATURE, maxstep=max_step(n), logfile=None)
    _run(optimizer, check, atoms, options)
    change = float(atoms.get_volume()) / before - 1
    if abs(change) > options.max_volume_change:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"the volume changed by {change:+.0%}, more than max_volume_change "
            f"({options.max_volume_change:.0%})",
        )


def relax_atoms(atoms: Atoms, options: "MlipOptions") -> None:
    """Relax atoms in their cell as it is, in place.

    Raises:
        MeasurementFailed: if they do not converge, or break down.
    """

    def check() -> bool:
        return largest_force(atoms) <= options.force_tolerance

    optimizer = LBFGS(atoms, alpha=CURVATURE, maxstep=LONGEST_STEP, logfile=None)
    _run(optimizer, check, atoms, options)


def stress(atoms: Atoms) -> Array:
    """Return the stress, GPa, positive where the cell is pulled, shape (3, 3)."""
    return np.asarray(atoms.get_stress(voigt=False), dtype=np.float64) / units.GPa


def pressure(atoms: Atoms) -> float:
    """Return the pressure, GPa, positive where the cell wants to grow."""
    return -float(np.trace(stress(atoms))) / 3


def largest_force(atoms: Atoms) -> float:
    """Return the largest force on an atom, eV/Å.

    Raises:
        MeasurementFailed: if a force or the energy is not finite.
    """
    forces = np.asarray(atoms.get_forces(), dtype=np.float64)
    if not (np.isfinite(forces).all() and np.isfinite(float(atoms.get_potential_energy()))):
        raise MeasurementFailed(
            FailureKind.LOST_ATOMS, "the energy or a force is not finite while relaxing"
        )
    return float(np.linalg.norm(forces, axis=1).max())


def _run(
    optimizer: LBFGS, is_at_rest: Callable[[], bool], atoms: Atoms, options: "MlipOptions"
) -> None:
    for _ in optimizer.irun(fmax=0.0, steps=options.max_steps):
        if is_at_rest():
            return
    raise MeasurementFailed(
        FailureKind.NOT_CONVERGED,
        f"after {options.max_steps} steps a force of {largest_force(atoms):.3g} eV/Å on an atom "
        f"and a stress of {np.abs(stress(atoms)).max():.3g} GPa remain",
    )
