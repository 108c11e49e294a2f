import numpy as np
import pytest
from pymatgen.core import Composition, Lattice, Structure

from alloop.models.ftcp.inverse_design.screening import (
    CrystalScreen,
    ScreenRule,
    ScreenRules,
    counts,
    is_charge_balanced,
)
from alloop.models.ftcp.representation.crystals import Size, read_crystals


@pytest.mark.parametrize(
    "formula", ["NaCl", "SrTiO3", "Fe2O3", "LiFePO4", "CaF2", "GaAs", "NiAl", "C", "Mn2CoAl"]
)
def test_known_compounds_are_balanced(formula):
    assert is_charge_balanced(Composition(formula))


@pytest.mark.parametrize("formula", ["NaCl2", "CaF3", "NaO3", "BaF", "Li2F", "SrTiO4"])
def test_impossible_compounds_are_not(formula):
    assert not is_charge_balanced(Composition(formula))


def refused(structure, rules=None, known=()):
    rejection = CrystalScreen(rules or ScreenRules(), known).check(structure)
    return None if rejection is None else (rejection.rule, rejection.reason)


def test_a_good_crystal_passes(perovskite):
    assert refused(perovskite()) is None


def test_atoms_too_close_are_named(perovskite):
    rule, reason = refused(perovskite(length=2.2))
    assert rule is ScreenRule.DISTANCE
    assert "Ti–O 1.10 Å" in reason or "O–Ti 1.10 Å" in reason
    lone = Structure(Lattice.cubic(1.2), ["Fe"], [[0, 0, 0]])
    assert "Fe–Fe 1.20 Å" in refused(lone)[1]  # its own image
    assert refused(Structure(Lattice.cubic(0.05), ["Fe"] * 2, np.eye(3)[:2] / 2))[0] == "distance"


def test_charge_is_asked_for_only_where_wanted(perovskite):
    odd = perovskite(a="Na", b="Na")
    assert refused(odd)[0] is ScreenRule.CHARGE
    assert refused(odd, ScreenRules(needs_charge_balance=False)) is None


def test_duplicates_and_known_crystals_are_told_apart(perovskite):
    screen = CrystalScreen(ScreenRules(), [perovskite("Ba", "Ti", "O", 4.0)])
    assert screen.check(perovskite()) is None
    moved = perovskite(length=3.95)
    moved.translate_sites(range(5), [0.2, 0.4, 0.1])
    assert screen.check(moved).rule is ScreenRule.DUPLICATE
    assert screen.check(perovskite("Ba", "Ti", "O", 4.1)).rule is ScreenRule.KNOWN


def test_a_known_formula_may_be_refused_whatever_its_structure(perovskite):
    coords = [
        [0, 0, 0],
        [0.5, 0.5, 0.5],
        [0.25, 0.25, 0.75],
        [0.25, 0.75, 0.25],
        [0.75, 0.25, 0.25],
    ]
    other = Structure(Lattice.cubic(5.0), ["Sr", "Ti", "O", "O", "O"], coords)
    assert refused(other, known=[perovskite()]) is None
    assert refused(other, ScreenRules(new_composition=True), [perovskite()])[0] is ScreenRule.KNOWN


def test_impossible_cells_are_refused_before_anything_else(perovskites):
    crystals = read_crystals(perovskites(4), Size(3, 5))
    crystals.lattices[1, 3:] = [60.0, 60.0, 120.0]
    crystals.lattices[2, 0] = -1.0
    passed, rejected = CrystalScreen(ScreenRules(needs_charge_balance=False)).screen_all(crystals)
    assert {row for row, _ in passed} | set(rejected) == {0, 1, 2, 3}
    assert rejected[1].rule is rejected[2].rule is ScreenRule.CELL
    assert "60, 60, 120" in rejected[1].reason
    assert counts(list(rejected.values()))["cell"] == 2
