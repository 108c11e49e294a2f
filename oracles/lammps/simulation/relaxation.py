"""Relaxation of atoms and cell, and of atoms in a given cell."""

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.simulation.cell import Array, LammpsCell
from alloop.oracles.lammps.simulation.minimiser import (
    CurvaturePair,
    Minimisation,
    Noise,
    Termination,
    minimise,
)
from alloop.oracles.lammps.simulation.session import (
    GPA_PER_EV_PER_CUBIC_ANGSTROM,
    LammpsSession,
    PotentialEvaluation,
)

MAX_VOLUME_CHANGE = 0.3
"""Largest relative change of the volume. Beyond it (9 % in every length) the start was no guess at
this crystal. Trial points of a line search beyond it are turned back from, like points without a
finite energy; only a relaxation that ends there has failed."""

CONVERGED = frozenset({Termination.CONVERGED, Termination.CONVERGED_TO_NOISE})
"""Endings of a relaxation that is at rest, as far as the potential allows."""

VOLUME = np.eye(3)[None]
"""Strain along which a cell relaxes in volume only: all lengths alike, shape (1, 3, 3)."""
_EDGES = np.array([np.diag(row) for row in np.eye(3)])
_ALL = np.zeros((6, 3, 3))
_ALL[np.arange(6), *np.triu_indices(3)] = 1.0


@dataclass(frozen=True)
class RelaxedCrystal:
    """Relaxed crystal in LAMMPS's frame."""

    box: Array
    """Lattice vectors as rows, Å, shape (3, 3)."""
    positions: Array
    """Cartesian positions, Å, shape (n, 3)."""
    evaluation: PotentialEvaluation
    """Energy, forces and pressure of the relaxed crystal."""
    gradient: Array
    """Deformation gradient from the start, shape (3, 3)."""
    pairs: tuple[CurvaturePair, ...]
    """L-BFGS pairs found on the way: of strains, if the cell was free, and atoms' coordinates."""
    n_strains: int
    noise: Noise
    """Jumps of the potential that the relaxation met."""

    @property
    def atom_pairs(self) -> tuple[CurvaturePair, ...]:
        """L-BFGS pairs of the atoms' coordinates alone, for a relaxation nearby in a fixed cell."""
        k = self.n_strains
        return tuple(CurvaturePair(pair.step[k:], pair.change[k:]) for pair in self.pairs)

    @property
    def volume(self) -> float:
        """Volume of the cell, Å³."""
        return float(np.linalg.det(self.box))

    def structure(self, cell: LammpsCell) -> Structure:
        """Return the relaxed crystal in LAMMPS's frame, given the cell it came from."""
        species = cell.structure.species
        return Structure(Lattice(self.box), species, self.positions, coords_are_cartesian=True)


class StrainedCellEnergy:
    """Energy as a function of strain and of positions in the unstrained cell.

    A point holds the strain's free components, then the positions, shape (k + 3n,). With the
    deformation gradient F = 1 + strain, the box is the first box deformed by F and an atom at u
    sits at F u. Strains are scaled by √n Å, which makes them about as stiff as an atom is.

    A rectangular box keeps its angles and relaxes its three edges, as the published labels do
    (LAMMPS: box/relax aniso); any other relaxes all six components, since in a skew box three of
    them would depend on how it is turned.

    Args:
        session: with the cell's atoms loaded.
        cell: where to start.
        free: the strains that are allowed, if not these, shape (k, 3, 3), upper triangular.
    """

    def __init__(self, session: LammpsSession, cell: LammpsCell, free: Array | None = None) -> None:
        self._session = session
        self._box = cell.box
        if free is None:
            free = _EDGES if cell.is_orthogonal else _ALL
        self._free = free
        self._scale = float(np.sqrt(len(cell.positions)))
        self.n_strains = len(free)
        self.start = np.concatenate([np.zeros(self.n_strains), cell.positions.ravel()])
        self.last: PotentialEvaluation | None = None
        self.refused: float | None = None
        """Relative change of the volume at the last point, where that was too far away."""

    def __call__(self, point: Array) -> tuple[float, Array]:
        """Return energy and gradient at a point, eV and eV/Å, shape (k + 3n,).

        The energy is infinite where the volume is farther from the first one than
        ``MAX_VOLUME_CHANGE``.
        """
        gradient = self.deformation(point)
        change = float(np.linalg.det(gradient)) - 1
        self.refused = change if abs(change) > MAX_VOLUME_CHANGE else None
        if self.refused is not None:
            return float("inf"), np.full_like(point, np.nan)
        box = self._box @ gradient.T
        self.last = found = self._session.evaluate(box, self.positions(point))
        # dE = −V tr(P dF F⁻¹)
        by_strain = -np.linalg.det(box) * (np.linalg.inv(gradient) @ found.pressure).T
        slopes = np.tensordot(self._free, by_strain, 2) / GPA_PER_EV_PER_CUBIC_ANGSTROM
        by_position = -(found.forces @ gradient).ravel()
        return found.energy, np.concatenate([slopes / self._scale, by_position])

    def deformation(self, point: Array) -> Array:
        """Return the deformation gradient at a point, shape (3, 3)."""
        return np.eye(3) + np.tensordot(point[: self.n_strains], self._free, 1) / self._scale

    def positions(self, point: Array) -> Array:
        """Return the atoms' Cartesian positions at a point, Å, shape (n, 3)."""
        return point[self.n_strains :].reshape(-1, 3) @ self.deformation(point).T

    def box(self, point: Array) -> Array:
        """Return the lattice vectors at a point, Å, shape (3, 3)."""
        return self._box @ self.deformation(point).T


def relax_cell(
    session: LammpsSession,
    cell: LammpsCell,
    options: LammpsOptions,
    *,
    free: Array | None = None,
    pairs: tuple[CurvaturePair, ...] = (),
    inverse: Array | None = None,
) -> RelaxedCrystal:
    """Relax the loaded atoms and their cell to zero forces and zero pressure.

    Args:
        session: with the cell's atoms loaded.
        cell: where to start.
        options: tolerance and limits.
        free: as of ``StrainedCellEnergy``.
        pairs: curvature known beforehand, as of ``minimise``.
        inverse: the same.

    Raises:
        MeasurementFailed: if it does not converge, breaks down, or the volume changes absurdly.
    """
    objective = StrainedCellEnergy(session, cell, free)
    found = minimise(
        objective,
        objective.start,
        tolerance=options.force_tolerance,
        max_evaluations=options.max_evaluations,
        pairs=pairs,
        inverse=inverse,
    )
    if found.ending not in CONVERGED and objective.refused is not None:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"the volume wants to change by {100 * objective.refused:+.0f} % and more while "
            f"relaxing; up to {100 * MAX_VOLUME_CHANGE:.0f} % are believed",
        )
    _check(found, "cell and atoms", options)
    assert objective.last is not None
    return RelaxedCrystal(
        box=objective.box(found.point),
        positions=objective.positions(found.point),
        evaluation=objective.last,
        gradient=objective.deformation(found.point),
        pairs=found.pairs,
        n_strains=objective.n_strains,
        noise=found.noise,
    )


def relax_atoms(
    session: LammpsSession,
    box: Array,
    positions: Array,
    options: LammpsOptions,
    *,
    pairs: tuple[CurvaturePair, ...] = (),
    inverse: Array | None = None,
) -> RelaxedCrystal:
    """Relax the loaded atoms in a fixed box.

    Raises:
        MeasurementFailed: if it does not converge or breaks down.
    """
    last: list[PotentialEvaluation] = []

    def objective(point: Array) -> tuple[float, Array]:
        last[:] = [session.evaluate(box, point.reshape(-1, 3))]
        return last[0].energy, -last[0].forces.ravel()

    found = minimise(
        objective,
        positions.ravel(),
        tolerance=options.force_tolerance,
        max_evaluations=options.max_evaluations,
        pairs=pairs,
        inverse=inverse,
    )
    _check(found, "atoms", options)
    return RelaxedCrystal(
        box, found.point.reshape(-1, 3), last[0], np.eye(3), found.pairs, 0, found.noise
    )


def _check(found: Minimisation, what: str, options: LammpsOptions) -> None:
    if found.ending in CONVERGED:
        return
    if found.ending is Termination.NOT_FINITE:
        raise MeasurementFailed(FailureKind.LOST_ATOMS, f"relaxing the {what}: {found.ending}")
    raise MeasurementFailed(
        FailureKind.NOT_CONVERGED,
        f"relaxing the {what}: {found.ending} ({found.evaluations}); the largest force is "
        f"{np.abs(found.gradient).max():.1e} eV/Å, not {options.force_tolerance:.1e}",
    )
