"""Inverse Hessians of a relaxed crystal, which those of its neighbours in ordering resemble."""

from dataclasses import dataclass

import numpy as np

from alloop.oracles.lammps.simulation.cell import Array
from alloop.oracles.lammps.simulation.minimiser import CurvaturePair
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal, StrainedCellEnergy

DIFFERENCE_STEP = 1e-4
"""Finite-difference step, Å. Far above the rounding of forces, far below the distances over which
they bend."""
MIN_CURVATURE = 0.5
"""Least curvature, eV/Å²; softer directions are taken for this: drifts of the whole crystal, which
cost nothing, and directions that rounding made negative. The softest of a metal have about 1."""
MIN_STEP = 1e-6
"""Shortest step that is used, Å. Shorter ones say more of rounding than of curvature."""


@dataclass(frozen=True)
class InverseHessians:
    """Inverse Hessians of the energy, positive definite, Å²/eV."""

    cell: Array
    """Inverse Hessian by strains and coordinates, shape (k + 3n, k + 3n), in the units of
    ``StrainedCellEnergy``."""
    atoms: Array
    """Inverse Hessian by coordinates in a fixed cell, shape (3n, 3n)."""

    @classmethod
    def by_finite_differences(cls, objective: StrainedCellEnergy) -> "InverseHessians":
        """Return the inverse Hessians where an objective starts, by differences of gradients.

        Takes one evaluation per coordinate.
        """
        point = objective.start
        _, gradient = objective(point)
        rows = np.empty((len(point), len(point)))
        for i in range(len(point)):
            moved = point.copy()
            moved[i] += DIFFERENCE_STEP
            rows[i] = (objective(moved)[1] - gradient) / DIFFERENCE_STEP
        matrix = (rows + rows.T) / 2
        k = objective.n_strains
        return cls(_inverse(matrix), _inverse(matrix[k:, k:]))

    def updated(self, relaxed: RelaxedCrystal) -> "InverseHessians":
        """Return the inverse Hessians updated (BFGS) by the steps of a relaxation."""
        return InverseHessians(
            _updated(self.cell, relaxed.pairs), _updated(self.atoms, relaxed.atom_pairs)
        )


def _inverse(matrix: Array) -> Array:
    stiffness, directions = np.linalg.eigh(matrix)
    return np.asarray((directions / np.maximum(stiffness, MIN_CURVATURE)) @ directions.T)


def _updated(inverse: Array, pairs: tuple[CurvaturePair, ...]) -> Array:
    """Return an inverse Hessian updated by the BFGS formula (Nocedal and Wright, Numerical
    Optimization, 6.17), which keeps it positive definite."""
    for pair in pairs:
        if np.abs(pair.step).max() < MIN_STEP or pair.curvature <= 0:
            continue
        share = 1 / pair.curvature
        image = inverse @ pair.change
        mixed = share * np.outer(pair.step, image)
        weight = share * (1 + share * float(pair.change @ image))
        inverse = inverse - mixed - mixed.T + weight * np.outer(pair.step, pair.step)
    return inverse
