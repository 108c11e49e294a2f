"""Parents of several sublattices: symmetry against spglib and Burnside, reading, vacancies."""

import itertools
from typing import Any

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from alloop.errors import MaterialError
from alloop.models.lattice.clusters import ClusterDescriptors
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.waves import concentration_waves
from alloop.parents.species import VACANCY
from alloop.space import Decorations

PEROVSKITE = {
    "A": {"elements": ["Sr", "Ca"]},
    "B": {"elements": ["Ti"]},
    "X": {"elements": ["O", "vacancy"]},
}
SPACES: dict[str, dict[str, Any]] = {
    "hcp": {"parent": "hcp", "supercell": [2, 2, 2], "elements": ["Mg", "Cd"]},
    "diamond": {"parent": "diamond", "supercell": [1, 1, 2], "elements": ["Si", "Ge"]},
    "B2": {
        "parent": "B2",
        "supercell": [2, 2, 2],
        "sublattices": {"A": {"elements": ["Ni", "Al"]}, "B": {"elements": ["Al", "Ni"]}},
    },
    "perovskite": {"parent": "perovskite", "supercell": [2, 2, 1], "sublattices": PEROVSKITE},
    "spinel": {
        "parent": "spinel",
        "supercell": [1, 1, 1],
        "sublattices": {
            "A": {"elements": ["Mg", "Al"]},
            "B": {"elements": ["Al", "Mg"]},
            "X": {"elements": ["O"]},
        },
    },
}
RNG = np.random.default_rng(0)


def space_of(name: str) -> DecorationSpace:
    return DecorationSpace.of_space(Decorations.model_validate(SPACES[name]))


@pytest.mark.parametrize("name", SPACES)
def test_waves_are_an_orthonormal_basis(name: str) -> None:
    parent = space_of(name).parents[0]
    waves = concentration_waves(parent)
    np.testing.assert_allclose(waves @ waves.T, np.eye(parent.n_sites), atol=1e-12)


@pytest.mark.parametrize("name", SPACES)
def test_symmetries_map_a_decoration_onto_the_same_crystal(name: str) -> None:
    space = space_of(name)
    parent, matcher = space.parents[0], StructureMatcher(scale=False)
    codes, _ = space.draw(1, RNG)
    crystal = space.structure(codes[0], 0)
    for row in RNG.permutation(parent.equivalences)[:4]:
        image = space.structure(codes[0][row], 0)
        assert matcher.fit(crystal, image)
        assert parent.canonical([space.species[i] for i in codes[0][row]]) == parent.canonical(
            [space.species[i] for i in codes[0]]
        )


@pytest.mark.parametrize("name", ["hcp", "perovskite"])
def test_there_are_as_many_symmetries_as_spglib_finds_of_the_supercell(name: str) -> None:
    space = space_of(name)
    parent = space.parents[0]
    whole = space.structure(
        np.repeat(
            [s.species[0] for s in space.sublattices], [s.n_sites for s in space.sublattices]
        ),
        0,
    )
    found = SpacegroupAnalyzer(whole, symprec=1e-3).get_symmetry_dataset()
    moved = set()
    for rotation, shift in zip(found.rotations, found.translations, strict=True):
        images = (parent.sites @ rotation.T + shift)[:, None] - parent.sites[None]
        moved.add(tuple(np.abs(images - np.round(images)).sum(axis=2).argmin(axis=1).tolist()))
    assert {tuple(row) for row in parent.equivalences.tolist()} == moved


def test_orderings_of_double_perovskites_are_those_that_matching_tells_apart() -> None:
    """Four of eight B sites: 70 decorations, of which pymatgen's matcher tells 6 crystals."""
    data = {
        "parent": {"prototype": "perovskite", "a": 4.0},
        "supercell": [2, 2, 2],
        "sublattices": {
            "A": {"elements": ["Sr"]},
            "B": {"elements": ["Mg", "W"]},
            "X": {"elements": ["O"]},
        },
    }
    space = DecorationSpace.of_space(Decorations.model_validate(data))
    parent, forms, crystals = space.parents[0], set(), list[Structure]()
    matcher = StructureMatcher(primitive_cell=False, scale=False)
    for sites in itertools.combinations(range(8), 4):
        code = np.zeros(8, dtype=int)
        code[list(sites)] = 1
        forms.add(parent.canonical([space.species[i] for i in code]))
        crystal = space.structure(code, 0)
        if not any(matcher.fit(crystal, other) for other in crystals):
            crystals.append(crystal)
    assert len(forms) == len(crystals) == 6


@pytest.mark.parametrize("name", SPACES)
def test_a_displaced_shuffled_shifted_crystal_is_read_up_to_symmetry(name: str) -> None:
    space = space_of(name)
    parent = space.parents[0]
    codes, _ = space.draw(1, RNG)
    species = [space.species[i] for i in codes[0]]
    ideal = parent.structure(species)
    order = RNG.permutation(len(ideal))
    coords = ideal.cart_coords + RNG.uniform(-0.1, 0.1, size=(len(ideal), 3)) + [0.3, -0.9, 2.0]
    moved = Structure(
        ideal.lattice, [ideal[i].specie for i in order], coords[order], coords_are_cartesian=True
    )
    assert parent.canonical(parent.decoration(moved)) == parent.canonical(species)
    assert parent.decoration(ideal) == tuple(species)


def test_vacancies_are_left_out_of_the_crystal_and_found_again() -> None:
    space = space_of("perovskite")
    parent = space.parents[0]
    species = ["Sr"] * 4 + ["O"] * 10 + [VACANCY] * 2
    crystal = parent.structure(species)
    assert crystal.composition.formula == "Sr4 Ti4 O10"
    assert parent.decoration(crystal) == tuple(species)
    codes, _ = space.read([crystal])
    assert (codes[0] == space.species.index(VACANCY)).sum() == 2


def test_atoms_of_another_sublattice_are_refused() -> None:
    space = space_of("perovskite")
    crystal = space.parents[0].structure(["Sr"] * 4 + ["O"] * 12)
    swapped = crystal.copy()
    swapped[0], swapped[len(swapped) - 1] = "Ti", "Sr"
    with pytest.raises(MaterialError, match="Ti is fixed there"):
        space.read([swapped])
    strange = crystal.copy()
    strange[0] = "O"
    with pytest.raises(MaterialError, match="another sublattice"):
        space.read([strange])


@pytest.mark.parametrize("name", SPACES)
def test_no_symmetry_changes_the_correlations(name: str) -> None:
    space = space_of(name)
    parent = space.parents[0]
    describe = ClusterDescriptors([parent], len(space.species))
    codes, _ = space.draw(1, RNG)
    images = codes[0][RNG.permutation(parent.equivalences)[:6]]
    found = describe(np.concatenate([codes, images]), np.zeros(7, dtype=int))
    assert np.ptp(found, axis=0).max() < 1e-6


def test_pairs_of_hcp_are_counted_by_hand() -> None:
    """One cadmium among sixteen sites: with c_Cd = 1/16, P(Cd, Cd) = 0 of nearest neighbours."""
    space = space_of("hcp")
    parent = space.parents[0]
    code = np.zeros(16, dtype=int)
    code[0] = 1
    near = parent.neighbours(1)
    n_images = int((near.others[near.of(0)] == 0).sum())
    assert n_images == 0
    assert len(near.others[near.of(0)]) == 12  # of the ideal c/a
    describe = ClusterDescriptors([parent], 2, n_shells=1, triangles=False)
    fraction, _, *pairs = describe(code[None], np.zeros(1, dtype=int))[0]
    assert fraction == pytest.approx(15 / 16)
    assert pairs == pytest.approx([-1 / 256, 1 / 256, -1 / 256])
