import itertools
import math

import numpy as np
import pytest
from pymatgen.core import Composition, Element, Lattice, Structure

from alloop.models.metrics.coverage import (
    Coverage,
    coverage,
    coverage_of_pairs,
    distribution_distances,
    property_distance,
)
from alloop.models.metrics.fingerprints import fingerprint_distance, structure_fingerprint
from alloop.models.metrics.matching import match, novelty, uniqueness
from alloop.models.metrics.validity import is_compositionally_valid, is_structurally_valid

SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0] * 3, [0.5] * 3])
CAESIUM = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0] * 3, [0.5] * 3])
NICKEL = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.52), ["Ni"], [[0] * 3])


def test_a_displaced_copy_matches_with_the_displacement_as_its_error() -> None:
    """One of two atoms moved by δ against the other: each is δ/2 off the common centre."""
    delta = 0.4
    moved = Structure(CAESIUM.lattice, CAESIUM.species, [[0] * 3, [0.5, 0.5, 0.5 + delta / 4.12]])
    found = match([(CAESIUM, moved), (CAESIUM, SALT), (NICKEL, NICKEL)])
    length = (CAESIUM.volume / 2) ** (1 / 3)
    assert found.rate == pytest.approx(2 / 3)
    assert found.displacements[1] is None
    assert found.displacements[0] == pytest.approx(delta / 2 / length, rel=1e-6)
    assert found.rmse == pytest.approx(delta / 4 / length, rel=1e-6)


def test_without_a_match_there_is_no_error() -> None:
    found = match([(CAESIUM, SALT)])
    assert found.rate == 0
    assert math.isnan(found.rmse)


def test_twins_are_counted_once() -> None:
    supercell = SALT * (1, 1, 2)
    assert uniqueness([SALT, supercell, CAESIUM, NICKEL]) == pytest.approx(3 / 4)
    assert novelty([SALT, CAESIUM, CAESIUM], known=[supercell]) == pytest.approx(2 / 3)
    assert math.isnan(uniqueness([]))


def test_fingerprints_tell_coordinations() -> None:
    """CrystalNN's first features are the weights of coordination numbers."""
    assert fingerprint_distance(SALT, SALT * (2, 1, 1)) == pytest.approx(0, abs=1e-9)
    assert fingerprint_distance(SALT, CAESIUM) > 1
    assert structure_fingerprint(SALT).shape == (61,)


@pytest.mark.parametrize(
    ("formula", "is_valid"),
    [
        ("NaCl", True),
        ("NaCl2", False),
        ("Al2O3", True),
        ("NiFeCr", True),
        ("C", True),
        ("Na3Cl", False),  # only with sodium as the anion,
        ("CO", True),
        ("H2O", True),
        ("OF2", True),  # fluorine alone is more electronegative than oxygen
        ("Cl2O7", True),
        ("NaHe", False),  # helium has no oxidation state
        ("Fe0.2Ni0.2Co0.2O0.4", True),
    ],
)
def test_compositions_are_neutral_or_metallic(formula: str, is_valid: bool) -> None:
    assert is_compositionally_valid(Composition(formula)) is is_valid


def test_the_sums_are_those_of_all_combinations() -> None:
    """Against every combination of states, as SMACT tries them."""
    rng = np.random.default_rng(0)
    symbols = ["Li", "Na", "Fe", "Mn", "O", "N", "F", "C", "H", "S", "P", "Al"]
    found = set()
    for _ in range(60):
        counts = {str(s): int(rng.integers(1, 5)) for s in rng.choice(symbols, 3, replace=False)}
        elements = [Element(symbol) for symbol in counts]
        expected = all(e.is_metal for e in elements) or any(
            sum(n * s for n, s in zip(counts.values(), states, strict=True)) == 0
            and max((e.X for e, s in zip(elements, states, strict=True) if s > 0), default=0)
            < min((e.X for e, s in zip(elements, states, strict=True) if s < 0), default=9)
            for states in itertools.product(*(e.oxidation_states for e in elements))
        )
        assert is_compositionally_valid(Composition(counts)) is expected, counts
        found.add(expected)
    assert found == {True, False}


def test_thirty_elements_take_no_longer() -> None:
    symbols = (
        "Fe Ni Cr Co Al Ti Cu Mo V Nb Mn Zr Ta W Hf Si Rh Ru Re Os Pt Pd Ir Mg Ag Zn Sn Au O Sc"
    )
    amounts = dict(
        zip(symbols.split(), np.random.default_rng(0).dirichlet(np.ones(30)), strict=True)
    )
    assert not is_compositionally_valid(Composition(amounts | {"O": 9.0}))
    assert is_compositionally_valid(Composition(amounts | {"O": 1.0}))


def test_atoms_may_not_come_closer_than_half_an_angstrom() -> None:
    def pair(distance: float) -> Structure:
        return Structure(Lattice.cubic(5), ["Ni"] * 2, [[0] * 3, [0, 0, distance / 5]])

    assert is_structurally_valid(pair(0.51))
    assert not is_structurally_valid(pair(0.49))
    assert not is_structurally_valid(pair(5 - 0.49))
    flat = Structure(Lattice.orthorhombic(3, 3, 0.3), ["Ni"], [[0] * 3])
    assert not is_structurally_valid(flat)


def test_coverage_wants_one_neighbour_that_is_near_in_both() -> None:
    in_structure = np.array([[True, False, True], [False, True, False]])
    in_composition = np.array([[True, True, False], [False, False, True]])
    assert coverage_of_pairs(in_structure, in_composition) == Coverage(
        recall=1 / 3, precision=1 / 2
    )


def test_a_set_covers_itself() -> None:
    structures = [SALT, CAESIUM, NICKEL]
    cutoffs = {"structure_cutoff": 0.2, "composition_cutoff": 4.0}
    assert coverage(structures, structures, **cutoffs) == Coverage(1.0, 1.0)
    half = coverage([SALT, SALT], [SALT, CAESIUM], **cutoffs)
    assert half == Coverage(recall=0.5, precision=1.0)


def test_distances_between_distributions() -> None:
    assert property_distance([0.0, 1.0], [1.0, 2.0]) == pytest.approx(1.0)
    found = distribution_distances([NICKEL], [SALT, SALT])
    assert found["n_elements"] == pytest.approx(1.0)
    assert found["density"] == pytest.approx(NICKEL.density - SALT.density)
