"""Bulk moduli and elastic constants from stresses under small strains, checked at half of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from pymatgen.core import Structure

from alloop.oracles.crystal_frame import crystal_frame
from alloop.oracles.elastic_tensor import (
    checked_tensor_properties,
    elastic_properties,
    in_crystal_frame,
    tensor_of,
)
from alloop.oracles.mlip.relaxation import Array, relax_atoms, stress
from alloop.oracles.strain_checks import CheckedProperties, PressureAt, checked_bulk_modulus

if TYPE_CHECKING:
    from alloop.oracles.mlip.options import MlipOptions

_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Rows and columns of the Voigt components, in the order 11, 22, 33, 23, 13, 12."""


@dataclass(frozen=True)
class StrainedCell:
    """A strained cell, its atoms at rest. Plain numbers, since the next cell takes the
    calculator."""

    volume: float
    """Volume, Å³."""
    energy: float
    """Energy of the cell, eV."""
    stress: Array
    """Stress, GPa, positive where the cell is pulled, shape (3, 3)."""

    @property
    def pressure(self) -> float:
        """Pressure, GPa, positive where the cell wants to grow."""
        return -float(np.trace(self.stress)) / 3


class StrainedCells:
    """A relaxed crystal under multiples of one strain, its atoms relaxed.

    Atoms set out from where the nearest of the earlier strains suggests: to first order they shift
    in proportion to the strain.

    Args:
        atoms: the relaxed crystal, with its calculator.
        direction: symmetric strain, shape (3, 3).
        options: tolerances.
    """

    def __init__(self, atoms: Atoms, direction: Array, options: "MlipOptions") -> None:
        self._atoms, self._direction, self._options = atoms, direction, options
        self._shifts: dict[float, Array] = {}

    def at(self, strain: float) -> StrainedCell:
        """Return the crystal under a multiple of the strain.

        Raises:
            MeasurementFailed: if its atoms do not relax.
        """
        strained = self._atoms.copy()
        strained.calc = self._atoms.calc
        gradient = np.eye(3) + strain * self._direction
        strained.set_cell(self._atoms.cell.array @ gradient, scale_atoms=True)
        start = strained.positions.copy()
        if self._shifts:
            nearest = min(self._shifts, key=lambda each: (abs(each - strain), each))
            strained.positions += strain / nearest * self._shifts[nearest]
        relax_atoms(strained, self._options)
        self._shifts[strain] = strained.positions - start
        energy = float(strained.get_potential_energy())
        return StrainedCell(float(strained.get_volume()), energy, stress(strained))


def measure_bulk_modulus(atoms: Atoms, options: "MlipOptions") -> CheckedProperties:
    """Return ``bulk_modulus``, −V dP/dV of a relaxed crystal in GPa, as
    ``alloop.oracles.strain_checks.checked_bulk_modulus`` has it.

    Raises:
        MeasurementFailed: if atoms of a strained cell do not relax, or it is no solid's.
    """
    cells = StrainedCells(atoms, np.eye(3), options)

    def both_ways(strain: float) -> Mapping[float, PressureAt]:
        found = {each: cells.at(each) for each in (-strain, strain)}
        return {k: PressureAt(cell.volume, cell.pressure) for k, cell in found.items()}

    return checked_bulk_modulus(both_ways, options.strain, atoms.get_volume())


def measure_elasticity(
    atoms: Atoms, structure: Structure, options: "MlipOptions"
) -> CheckedProperties:
    """Return the elastic constants in the crystal's axes, and what follows from them.

    Six strains are applied both ways, each at the options' size and at half of it; the constants
    are slopes through all four stresses, and are checked by those of each size alone. The crystal
    is turned into its conventional axes first, so that strains do not depend on how it was given.

    Args:
        atoms: the relaxed crystal, with its calculator.
        structure: the same.
        options: strain and tolerances.

    Raises:
        MeasurementFailed: if atoms of a strained cell do not relax.
    """
    rotation = crystal_frame(structure).rotation
    turned = atoms.copy()
    turned.calc = atoms.calc
    turned.set_cell(atoms.cell.array @ rotation.T, scale_atoms=True)
    sizes = (options.strain, options.strain / 2)
    columns: dict[float, list[list[float]]] = {size: [] for size in sizes}
    for i, j in _VOIGT:
        direction = np.zeros((3, 3))
        direction[i, j] = direction[j, i] = 1.0 if i == j else 0.5
        cells = StrainedCells(turned, direction, options)
        for size in sizes:
            rise = cells.at(size).stress - cells.at(-size).stress
            columns[size].append([float(rise[k, m]) / (2 * size) for k, m in _VOIGT])
    large, small = (np.array(columns[size]) for size in sizes)
    weights = np.array(sizes) ** 2  # least squares of a line through zero
    fitted = (weights[0] * large + weights[1] * small) / weights.sum()
    difference = float(np.abs(large - small).max() / np.abs(fitted).max())
    axes = Structure(turned.cell.array, structure.species, structure.frac_coords)
    tensor = tensor_of((fitted + fitted.T) / 2)
    values = elastic_properties(in_crystal_frame(tensor, axes))
    return checked_tensor_properties(values, difference)
