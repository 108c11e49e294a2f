"""Common neighbours: the textbook's signatures, and crystals told from each other."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.oracles.lammps.simulation.neighbourhood import (
    Bond,
    bond_length,
    neighbourhoods,
    share_unchanged,
)

CUBE = Lattice.cubic(1.0)
CRYSTALS = {
    "fcc": (Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.6), ["Ni"], [[0, 0, 0]]), 12),
    "bcc": (Structure.from_spacegroup("Im-3m", Lattice.cubic(2.9), ["Fe"], [[0, 0, 0]]), 14),
    "hcp": (
        Structure(
            Lattice.hexagonal(2.5, 2.5 * np.sqrt(8 / 3)),
            ["Mg"] * 2,
            [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]],
        ),
        12,
    ),
    "diamond": (Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.4), ["Si"], [[0, 0, 0]]), 4),
}
# Honeycutt and Andersen's 421, 422, 666 and 444
SIGNATURES: dict[str, dict[Bond, int]] = {
    "fcc": {(4, 2, 1): 12},
    "hcp": {(4, 2, 1): 6, (4, 2, 2): 6},
    "bcc": {(6, 6, 2): 8, (4, 4, 2): 6},
    "diamond": {(0, 0, 0): 4},
}


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("shake", [0.0, 0.05])
def test_crystals_have_their_signatures_also_when_shaken(name: str, shake: float) -> None:
    structure, n_bonds = CRYSTALS[name]
    large = structure * (3, 3, 3)
    large.perturb(shake) if shake else None
    length = bond_length(structure)
    found = neighbourhoods(large, length)
    assert {frozenset(SIGNATURES[name].items())} == set(found)
    assert {len(near) for near in large.get_all_neighbors(length)} == {n_bonds}


def test_the_share_counts_atoms() -> None:
    fcc = neighbourhoods(CRYSTALS["fcc"][0], 3.0)
    bcc = neighbourhoods(CRYSTALS["bcc"][0] * (2, 1, 1), 3.3)
    assert share_unchanged(fcc, fcc) == 1.0
    assert share_unchanged(fcc, [*fcc[:3], bcc[0]]) == 0.75
    assert share_unchanged(fcc, bcc) == 0.0
