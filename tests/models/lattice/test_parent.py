import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from alloop.errors import MaterialError
from alloop.files.cif import read_cif
from alloop.lattices import SHELLS
from alloop.models.lattice.parent import ParentLattice, identify, read_decoration
from alloop.parents.sizes import element_volume

SYMBOLS = ("Cr", "Fe", "Ni")
parents = st.builds(
    ParentLattice.alloy, st.sampled_from(["fcc", "bcc"]), st.sampled_from([1, 2, 3])
)
seeds = st.integers(0, 2**31 - 1)


def random_species(parent, rng):
    return tuple(rng.choice(SYMBOLS, size=parent.n_sites).tolist())


@pytest.mark.parametrize(("name", "order"), [("fcc", 864), ("bcc", 2592)])
def test_54_site_cells_have_the_symmetries_of_their_space_group_and_translations(name, order):
    parent = ParentLattice.alloy(name, 3)
    assert parent.symmetries.shape == (order, 54)
    assert len(np.unique(parent.symmetries, axis=0)) == order


@pytest.mark.parametrize(("name", "n"), list(itertools.product(["fcc", "bcc"], [2, 3])))
def test_symmetries_are_those_that_spglib_finds(name, n):
    parent = ParentLattice.alloy(name, n)
    structure = parent.structure(["Ni"] * parent.n_sites)
    operations = SpacegroupAnalyzer(structure, symprec=1e-4).get_symmetry_dataset()
    # spglib knows all point operations of the infinite lattice; we keep those that map the
    # supercell onto itself, which are the integer ones in its fractional coordinates.
    whole = [
        (r, t)
        for r, t in zip(operations.rotations, operations.translations, strict=True)
        if np.allclose(r, np.round(r))
    ]
    found = set()
    for rotation, translation in whole:
        images = (parent.sites @ rotation.T + translation)[:, None] - parent.sites[None]
        found.add(tuple(np.abs(images - np.round(images)).sum(axis=2).argmin(axis=1).tolist()))
    ours = {tuple(row) for row in parent.symmetries.tolist()}
    assert found == ours


@pytest.mark.parametrize(
    ("name", "radii"),
    [
        ("fcc", (1 / math.sqrt(2), 1, math.sqrt(1.5))),
        ("bcc", (math.sqrt(3) / 2, 1, math.sqrt(2))),
    ],
)
def test_shells_are_the_neighbours_that_pymatgen_finds(name, radii):
    parent = ParentLattice.alloy(name, 3)
    structure = parent.structure(["Ni"] * 54)
    edge = structure.lattice.c / 3
    centres, others, _, distances = structure.get_neighbor_list(1.5 * edge)
    for radius, neighbours, count in zip(radii, parent.shells, SHELLS[name], strict=True):
        assert neighbours.shape == (54, count)
        in_shell = np.abs(distances - radius * edge) < 1e-6
        for site in range(54):
            expected = sorted(others[in_shell & (centres == site)].tolist())
            assert sorted(neighbours[site].tolist()) == expected


@pytest.mark.parametrize("name", ["fcc", "bcc"])
@pytest.mark.parametrize("n", [1, 2])
def test_shells_of_small_cells_repeat_images(name, n):
    for neighbours, count in zip(ParentLattice.alloy(name, n).shells, SHELLS[name], strict=True):
        assert neighbours.shape == (2 * n**3, count)


def test_the_parents_are_fcc_and_bcc():
    matcher = StructureMatcher()
    fcc = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.5), ["Ni"], [[0, 0, 0]])
    bcc = Structure.from_spacegroup("Im-3m", Lattice.cubic(2.9), ["Ni"], [[0, 0, 0]])
    assert matcher.fit(ParentLattice.alloy("fcc", 3).structure(["Ni"] * 54), fcc)
    assert matcher.fit(ParentLattice.alloy("bcc", 3).structure(["Ni"] * 54), bcc)


@given(parents, seeds)
@settings(max_examples=60, deadline=None)
def test_equivalent_decorations_share_a_canonical_form(parent, seed):
    rng = np.random.default_rng(seed)
    species = random_species(parent, rng)
    permutation = parent.symmetries[rng.integers(len(parent.symmetries))]
    image = tuple(species[site] for site in permutation)
    assert parent.canonical(image) == parent.canonical(species)


@pytest.mark.parametrize("name", ["fcc", "bcc"])
def test_as_many_canonical_forms_as_orbits(name):
    """Burnside's lemma counts the orbits of all 2^16 two-element decorations of 16 sites."""
    parent = ParentLattice.alloy(name, 2)
    n_cycles = [len(_cycles(permutation)) for permutation in parent.symmetries.tolist()]
    n_orbits = sum(2**n for n in n_cycles) / len(n_cycles)
    # The smallest bit pattern of each orbit, by brute force.
    bits = ((np.arange(2**16)[:, None] >> np.arange(16)) & 1).astype(np.float32)
    powers = 2.0 ** np.arange(16, dtype=np.float32)
    smallest = np.min([bits[:, row] @ powers for row in parent.symmetries], axis=0)
    representatives = np.unique(smallest).astype(int)
    assert len(representatives) == n_orbits
    some = np.random.default_rng(0).choice(representatives, size=300, replace=False)
    forms = {parent.canonical([("Fe", "Ni")[bit] for bit in bits[row].astype(int)]) for row in some}
    assert len(forms) == len(some)


def test_canonical_forms_tell_parents_apart():
    species = ["Fe"] * 8 + ["Ni"] * 8
    fcc, bcc = ParentLattice.alloy("fcc", 2), ParentLattice.alloy("bcc", 2)
    assert fcc.canonical(species) != bcc.canonical(species)


@given(parents.filter(lambda parent: parent.n_sites > 2), seeds)
@settings(max_examples=60, deadline=None)
def test_a_displaced_shuffled_shifted_structure_is_read_up_to_symmetry(parent, seed):
    rng = np.random.default_rng(seed)
    species = random_species(parent, rng)
    ideal = parent.structure(species, volume_per_atom=12.0)
    cartesian = ideal.cart_coords + rng.uniform(-0.25, 0.25, size=(parent.n_sites, 3))
    fractional = ideal.lattice.get_fractional_coords(cartesian) + rng.uniform(-1, 1, size=3)
    fractional += rng.integers(-2, 3, size=fractional.shape)
    order = rng.permutation(parent.n_sites)
    moved = Structure(ideal.lattice, [species[i] for i in order], fractional[order])
    assert identify(moved) == parent
    assert parent.canonical(parent.decoration(moved)) == parent.canonical(species)


@given(parents, seeds)
@settings(max_examples=30, deadline=None)
def test_an_unmoved_structure_is_read_site_by_site(parent, seed):
    species = random_species(parent, np.random.default_rng(seed))
    structure = parent.structure(species)
    assert parent.decoration(structure) == species
    structure.add_oxidation_state_by_element({"Cr": 0, "Fe": 0, "Ni": 0})
    assert parent.decoration(structure) == species


def test_cells_have_the_elements_mean_volume():
    # CRC Handbook: Ni 6.59, Cr 7.23 cm³/mol; one cm³/mol is 1.66054 Å³ per atom.
    assert element_volume("Ni") == pytest.approx(6.59 * 1.66054, rel=1e-3)
    cell = ParentLattice.alloy("bcc", 1).structure(["Ni", "Cr"])
    assert cell.volume == pytest.approx((6.59 + 7.23) * 1.66054, rel=1e-3)


@pytest.mark.parametrize(
    ("structure", "says"),
    [
        (Structure(Lattice.cubic(3.5), ["Ni"] * 3, np.eye(3) / 2), "3 atoms"),
        (Structure(Lattice.cubic(2.9), ["Ni"] * 2, [[0, 0, 0], [0.5, 0.5, 0]]), "do not lie"),
        (Structure(Lattice.hexagonal(2.5, 4.1), ["Ni"] * 2, [[0, 0, 0], [0.5] * 3]), "the cell"),
        (Structure(Lattice.tetragonal(2.9, 3.48), ["Ni"] * 2, [[0, 0, 0], [0.5] * 3]), "the cell"),
        (
            Structure(Lattice.cubic(2.9), [{"Ni": 0.5, "Fe": 0.5}, "Ni"], [[0, 0, 0], [0.5] * 3]),
            "partly occupied",
        ),
    ],
)
def test_what_is_on_no_parent_is_refused(structure, says):
    with pytest.raises(MaterialError, match=says):
        identify(structure).decoration(structure)


def test_a_vacancy_and_an_interstitial_are_refused():
    parent = ParentLattice.alloy("fcc", 2)
    structure = parent.structure(["Ni"] * 16)
    structure.translate_sites([3], [0.0, 0.0, 0.25])  # into an octahedral hole
    with pytest.raises(MaterialError, match="do not lie"):
        parent.decoration(structure)


@pytest.mark.parametrize("species", [["Ni"] * 15, ["Ni"] * 15 + ["Xx"]])
def test_wrong_decorations_are_refused(species):
    parent = ParentLattice.alloy("fcc", 2)
    with pytest.raises(MaterialError):
        parent.structure(species)
    with pytest.raises(MaterialError):
        parent.canonical(species)


def test_relaxed_cells_of_the_published_data_are_read(allogen):
    table = pd.read_csv(allogen / "test.csv").iloc[:40]
    for row in table.itertuples():
        structure = read_cif(row.cif).structure
        parent = identify(structure)
        assert (parent.name, parent.n_sites) == (row.sym, 54)
        species = parent.decoration(structure)
        assert Composition("".join(species)) == structure.composition
        unrelaxed = parent.structure(species)
        assert unrelaxed.volume == pytest.approx(structure.volume, rel=0.02)
        assert StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3).fit(structure, unrelaxed)


def _cycles(permutation):
    left, cycles = set(range(len(permutation))), []
    while left:
        cycle, site = [], min(left)
        while site in left:
            left.remove(site)
            cycle.append(site)
            site = permutation[site]
        cycles.append(cycle)
    return cycles


def test_a_decoration_is_read_again_after_its_atoms_were_exchanged():
    parent = ParentLattice.of_size("fcc", 16)
    structure = parent.structure(["Ni"] * 15 + ["Fe"])
    assert read_decoration(structure) == (parent, tuple(["Ni"] * 15 + ["Fe"]))
    structure[0], structure[15] = "Fe", "Ni"
    assert read_decoration(structure)[1] == tuple(["Fe"] + ["Ni"] * 15)
