"""One crystal in several cells, which every oracle must give the same properties."""

from collections.abc import Mapping, Sequence

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from alloop.oracles.base import Oracle, Status
from alloop.properties import UNITS

TURN = 0.7
"""Angle of the turned cell about the axis (1, 2, 3), radians."""
SHEAR = ((1, 0, 0), (1, 1, 0), (0, 1, 1))
"""Vectors of the skewed cell in multiples of those given."""
MODULUS_SCALE = 10.0
"""Scale below which differences of elastic constants count absolutely, GPa: c14 of a cubic crystal
is zero."""
ENERGY_SCALE = 0.1
"""Scale below which differences of energies count absolutely, eV/atom: an element's formation
energy is zero."""
SCALES = {"GPa": MODULUS_SCALE, "eV/atom": ENERGY_SCALE}


def equivalent_cells(crystal: Structure) -> dict[str, Structure]:
    """Return a crystal's primitive and conventional cells, and it turned, skewed and repeated.

    A large cell without symmetry gives cells as large; the repeated one is twice as long.
    """
    analyzer = SpacegroupAnalyzer(crystal, symprec=1e-3)
    skewed, repeated = crystal.copy(), crystal.copy()
    skewed.make_supercell(SHEAR, to_unit_cell=True)
    repeated.make_supercell((2, 1, 1), to_unit_cell=True)
    return {
        "primitive": analyzer.find_primitive() or crystal,
        "conventional": analyzer.get_conventional_standard_structure(),
        "turned": _turned(crystal),
        "skewed": skewed,
        "repeated": repeated,
    }


def invariance(oracle: Oracle, cells: Mapping[str, Structure]) -> dict[str, float]:
    """Return the largest relative difference over the cells of each property that all have.

    Args:
        oracle: that measures them.
        cells: of one crystal, by name.

    Raises:
        AssertionError: naming the cell that cannot be measured.
    """
    found: list[Mapping[str, float]] = []
    for name, cell in cells.items():
        measured = oracle.measure(cell)
        assert measured.status is Status.OK, f"the {name} cell: {measured.failure}"
        found.append(measured.properties)
    shared = set[str].intersection(*(set(each) for each in found))
    return {
        name: _spread([each[name] for each in found], SCALES.get(UNITS.get(name, ""), 0.0))
        for name in sorted(shared)
    }


def _spread(values: Sequence[float], zero: float) -> float:
    scale = max(zero, *map(abs, values))
    return (max(values) - min(values)) / scale if scale else 0.0


def _turned(crystal: Structure) -> Structure:
    x, y, z = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation = np.eye(3) + np.sin(TURN) * cross + (1 - np.cos(TURN)) * cross @ cross  # Rodrigues
    return Structure(
        Lattice(crystal.lattice.matrix @ rotation.T), crystal.species, crystal.frac_coords
    )
