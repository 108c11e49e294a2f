"""fcc and bcc against what pymatgen and spglib find in the crystals."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from alloop.lattices import (
    CUBIC_SITES,
    OTHER_LATTICE,
    SHELLS,
    SPACE_GROUPS,
    TWO_ATOM_C_OVER_A,
    LatticeName,
)

EDGE = 3.5
"""Å."""


@pytest.mark.parametrize("name", ["fcc", "bcc"])
def test_the_cubic_and_the_two_atom_cell_are_one_crystal(name: LatticeName) -> None:
    sites = CUBIC_SITES[name]
    cubic = Structure(Lattice.cubic(EDGE), ["Ni"] * len(sites), sites)
    c_over_a = TWO_ATOM_C_OVER_A[name]
    edge = EDGE * (2 / len(sites) / c_over_a) ** (1 / 3)  # of the same volume per atom
    two = Structure(Lattice.tetragonal(edge, c_over_a * edge), ["Ni"] * 2, CUBIC_SITES["bcc"])
    for cell in (cubic, two):
        assert SpacegroupAnalyzer(cell).get_space_group_symbol() == SPACE_GROUPS[name]
        assert len(cell.get_primitive_structure()) == 1
        distances = sorted(near.nn_distance for near in cell.get_neighbors(cell[0], 1.45 * EDGE))
        shells = np.unique(np.round(distances, 6), return_counts=True)[1]
        assert tuple(shells[:3]) == SHELLS[name]


def test_the_lattices_compete_with_each_other() -> None:
    assert all(
        OTHER_LATTICE[OTHER_LATTICE[name]] == name != OTHER_LATTICE[name] for name in CUBIC_SITES
    )
