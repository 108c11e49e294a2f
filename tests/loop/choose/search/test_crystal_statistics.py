"""Descriptors of crystals against matminer's Magpie featuriser and against known structures."""

import numpy as np
import pytest
from matminer.featurizers.composition import ElementProperty
from pymatgen.core import Lattice, Structure

from alloop.loop.choose.search.crystal_statistics import (
    ELEMENT_PROPERTIES,
    describe_crystal,
    describe_crystals,
)
from alloop.materials import material_from_json, material_id, material_to_json

ROCK_SALT = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
DIAMOND = Structure.from_spacegroup(
    "F-43m", Lattice.cubic(3.567), ["C", "C"], [[0, 0, 0], [0.25] * 3]
)
COPPER = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.615), ["Cu"], [[0, 0, 0]])
WURTZITE = Structure(
    Lattice.hexagonal(3.25, 5.2),
    ["Zn", "Zn", "O", "O"],
    [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, 0.382], [2 / 3, 1 / 3, 0.882]],
)
N_COMPOSITION = 4 * len(ELEMENT_PROPERTIES)


@pytest.mark.parametrize("crystal", [ROCK_SALT, WURTZITE], ids=["rock salt", "wurtzite"])
def test_composition_statistics_are_magpies(crystal: Structure) -> None:
    theirs = ElementProperty.from_preset("magpie", impute_nan=False)
    values = dict(zip(theirs.feature_labels(), theirs.featurize(crystal.composition), strict=True))
    expected = [
        values[f"MagpieData {statistic} {name}"]
        for statistic in ("mean", "avg_dev", "minimum", "maximum")
        for name in ELEMENT_PROPERTIES
    ]
    assert describe_crystal(crystal)[:N_COMPOSITION] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("crystal", "neighbours", "length", "unlike"),
    [
        (ROCK_SALT, 6, 2.82, 1.0),
        (DIAMOND, 4, 3.567 * 3**0.5 / 4, 0.0),
        (COPPER, 12, 3.615 / 2**0.5, 0.0),
        (WURTZITE, 4, 1.98, 1.0),
    ],
    ids=["rock salt", "diamond", "copper", "wurtzite"],
)
def test_shells_of_known_structures(
    crystal: Structure, neighbours: int, length: float, unlike: float
) -> None:
    mean, fewest, most, distance, share = describe_crystal(crystal)[-5:]
    assert (mean, fewest, most) == (neighbours, neighbours, neighbours)
    assert distance == pytest.approx(length, abs=0.01)
    assert share == unlike


def test_volume_and_density_are_pymatgens() -> None:
    volume, _, mass = describe_crystal(ROCK_SALT)[N_COMPOSITION : N_COMPOSITION + 3]
    assert volume == pytest.approx(ROCK_SALT.volume / 8)
    assert mass / 0.602214076 == pytest.approx(ROCK_SALT.density, rel=1e-3)  # u/Å³ to g/cm³


def test_a_larger_cell_is_the_same_crystal() -> None:
    large = WURTZITE.make_supercell([2, 1, 1], in_place=False)
    assert describe_crystal(large) == pytest.approx(describe_crystal(WURTZITE), abs=1e-9)


def test_polymorphs_differ_and_the_cache_keeps_them_apart() -> None:
    dense = WURTZITE.copy().scale_lattice(0.8 * WURTZITE.volume)
    once = describe_crystals([WURTZITE, dense, WURTZITE])
    assert (once[0] == once[2]).all()
    assert not np.allclose(once[0], once[1])


def test_an_atom_without_neighbours_is_described_by_finite_numbers() -> None:
    lonely = Structure(Lattice.cubic(40.0), ["Ar"], [[0, 0, 0]])
    assert np.isfinite(describe_crystal(lonely)).all()


def test_what_was_read_again_is_described_as_in_a_new_process() -> None:
    lattice = Lattice.orthorhombic(3.1, 4.2, 5.3)
    made = Structure(lattice, ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.512345678912345]])
    read = material_from_json(material_to_json(made))
    assert isinstance(read, Structure)
    assert material_id(read) == material_id(made)
    describe_crystals([made])
    assert (describe_crystals([read])[0] == describe_crystal(read)).all()
    assert (describe_crystal(read) != describe_crystal(made)).any()
