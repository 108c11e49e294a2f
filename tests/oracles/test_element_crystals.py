"""Crystals that formation energies refer to."""

import pytest

from alloop.oracles.element_crystals import element_crystal, natural_volume


@pytest.mark.parametrize(
    ("symbol", "space_group", "distance"),
    [
        ("Ni", "Fm-3m", 2.49),
        ("Mg", "P6_3/mmc", 3.20),
        ("Si", "Fd-3m", 2.35),
        ("As", "R-3m", 2.51),  # J. Donohue, The Structures of the Elements (1974)
        ("Sn", "I4_1/amd", 3.02),
        ("In", "I4/mmm", 3.25),
    ],
)
def test_elements_have_the_crystal_and_distances_of_nature(
    symbol: str, space_group: str, distance: float
) -> None:
    crystal = element_crystal(symbol)
    assert crystal is not None
    assert crystal.get_space_group_info()[0] == space_group
    nearest = min(n.nn_distance for n in crystal.get_all_neighbors(4.0)[0])
    assert nearest == pytest.approx(distance, abs=0.03)
    assert crystal.volume / len(crystal) == pytest.approx(natural_volume(symbol))


@pytest.mark.parametrize("symbol", ["Mn", "Ga", "Se", "P"])
def test_what_has_many_atoms_in_its_cell_has_none(symbol: str) -> None:
    assert element_crystal(symbol) is None
