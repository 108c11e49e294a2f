"""Climbs over orderings whose optimum is known by enumeration, and symmetric orderings."""

import itertools

import numpy as np
import pytest

from alloop.loop.choose.moves.decorations import DecorationMoves
from alloop.loop.choose.search.climb import ChainGroup, climb, plain_moves
from alloop.loop.choose.search.orbits import OrbitMoves, draw_orbits
from alloop.models.lattice.clusters import ClusterDescriptors
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.parent import ParentLattice
from alloop.space import Decorations

SPACE = Decorations(
    elements=("Ni", "Fe"), fractions={"Ni": (0.25, 0.25)}, lattices=("fcc",), atoms=16
)
MOVES = DecorationMoves(SPACE)
PARENT = ParentLattice.of_size("fcc", 16)
DESCRIBE = ClusterDescriptors([PARENT], 2)
WEIGHTS = np.random.default_rng(5).normal(size=DESCRIBE.n_features)


def score(codes: np.ndarray) -> np.ndarray:
    return DESCRIBE(codes[:, 1:], codes[:, 0]) @ WEIGHTS * 30


def everything() -> np.ndarray:
    """All 1,820 ways to put four nickel atoms on sixteen sites."""
    rows = list(itertools.combinations(range(16), 4))
    codes = np.ones((len(rows), 17), dtype=np.int64)
    codes[:, 0] = 0
    for code, sites in zip(codes, rows, strict=True):
        code[1 + np.array(sites)] = 0
    return codes


def test_the_best_ordering_is_found_and_nothing_is_returned_twice() -> None:
    rng = np.random.default_rng(1)
    group = ChainGroup("random", MOVES.draw(6, rng), plain_moves(MOVES))
    found = climb(score, [group], rng, steps=20, neighbours=8, most=50)
    assert found.scores[0] == pytest.approx(score(everything()).max())
    assert 5 < len(found.codes) <= 50
    assert (np.diff(found.scores) < 0).all()  # of equivalent orderings, one
    assert MOVES.in_bounds(found.codes).all()
    assert found.scores == pytest.approx(score(found.codes))


def test_symmetric_chains_stay_symmetric() -> None:
    rng = np.random.default_rng(3)
    space = Decorations(elements=("Ni", "Fe", "Cr"), lattices=("fcc", "bcc"), atoms=54)
    moves = DecorationMoves(space)
    orderings = DecorationSpace.of_space(space)
    orbits = draw_orbits(orderings, moves, 8, rng)
    assert len(orbits.starts) == 8
    moved = orbits.starts
    step = OrbitMoves(orbits, orderings, moves)
    for _ in range(10):
        moved = step(moved, np.arange(8), rng)
    assert moves.in_bounds(moved).all()
    assert (moved != orbits.starts).any(axis=1).all()
    for label, code in zip(orbits.labels, moved, strict=True):
        held = [set(code[1:][label == orbit]) for orbit in range(label.max() + 1)]
        assert all(len(elements) == 1 for elements in held)
        symmetries = orderings.parents[code[0]].symmetries
        images = code[1:][symmetries]
        assert (images == code[1:]).all(axis=1).sum() >= 2  # one more than the identity
