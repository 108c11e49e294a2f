"""Crystals that are the same, against pymatgen's own matcher."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from alloop.crystal_matching import CrystalMatcher
from benchmarks.ftcp.intermetallics import draw_prototypes

OURS = [CrystalMatcher(), CrystalMatcher(length=0.3, site=0.5, angle=10)]
THEIRS = [StructureMatcher(), StructureMatcher(ltol=0.3, stol=0.5, angle_tol=10)]


def pairs() -> list[tuple[Structure, Structure]]:
    """Return crystals with copies: supercells, displaced a little or a lot, and others."""
    rng = np.random.default_rng(0)
    found = []
    for cell in draw_prototypes(8, seed=4, elements=("Al", "Ni", "Ti")):
        for amount in (0.0, 0.05, 0.6, 1.5):
            copy = (cell * (1, 1, 2)).copy()
            copy.perturb(amount, min_distance=0.0) if amount else None
            copy.apply_strain(float(rng.uniform(-0.05, 0.05)))
            found.append((cell, copy))
    return found


@pytest.mark.parametrize(
    ("ours", "theirs"), list(zip(OURS, THEIRS, strict=True)), ids=["usual", "loose"]
)
def test_they_match_where_pymatgen_says_so(ours: CrystalMatcher, theirs: StructureMatcher) -> None:
    np.random.seed(0)  # of ``perturb``
    answers = {True: 0, False: 0}
    for one, other in pairs():
        expected = bool(theirs.fit(one, other))
        answers[expected] += 1
        assert ours.matches(one, other) is expected
        assert ours.matches(one, other) is expected  # from what is remembered
    assert min(answers.values()) > 3


def test_other_formulas_never_match() -> None:
    (one,) = draw_prototypes(1, seed=1, elements=("Al", "Ni", "Ti"))
    other = one.copy()
    other.replace_species({"Ti": "V"})
    assert not CrystalMatcher().matches(one, other)
