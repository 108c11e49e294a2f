"""Moves stay in bounds, reach the whole space, and are undone by what is recorded of them."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import Moves
from alloop.loop.choose.moves.compositions import CompositionMoves, whole_parts
from alloop.loop.choose.moves.decorations import DecorationMoves
from alloop.loop.choose.moves.of_space import moves_of
from alloop.loop.choose.moves.structures import StructureMoves
from alloop.loop.choose.random_candidates import random_materials
from alloop.loop.choose.screening import Seen, has_enough_distance, screen
from alloop.materials import Material, composition_of, material_id
from alloop.space import AnySpace, Compositions, Decorations, Structures

BINARY = Decorations(elements=("Ni", "Cr"), lattices=("fcc",), atoms=2)
FIXED = Decorations(
    elements=("Ni", "Fe", "Cr"),
    lattices=("fcc",),
    atoms=16,
    fractions={"Ni": (0.25, 0.25), "Fe": (0.25, 0.25), "Cr": (0.5, 0.5)},
)
SPACES: dict[str, AnySpace] = {
    "fixed": FIXED,
    "ternary": Decorations(elements=("Ni", "Fe", "Cr"), fractions={"Ni": (0.25, 0.5)}, atoms=16),
    "charged": Decorations.model_validate(
        {
            "parent": "perovskite",
            "supercell": [2, 2, 2],
            "sublattices": {
                "A": {"elements": ["Sr", "La"]},
                "B": {"elements": ["Ti", "Fe"]},
                "X": {"elements": ["O", "vacancy"], "fractions": {"vacancy": [0, 0.125]}},
            },
            "charges": {"Sr": 2, "La": 3, "Ti": 4, "Fe": 3, "O": -2},
        }
    ),
    "few elements": Decorations.model_validate(
        {
            "parents": ["fcc", "bcc", "hcp"],
            "atoms": 16,
            "elements": ["Ni", "Fe", "Cr", "Co"],
            "max_elements": 2,
        }
    ),
    "compositions": Compositions(
        kind="compositions",
        elements=("Al", "Co", "Cr", "Fe", "Ni"),
        fractions={"Al": (0.05, 0.2), "Cr": (0.0, 0.35)},
        min_elements=3,
        max_elements=4,
    ),
    "priced": Compositions(
        kind="compositions",
        elements=("Co", "Cr", "Fe", "Ni"),
        step=0.02,
        prices={"Co": 33.0, "Cr": 9.0, "Fe": 0.5, "Ni": 18.0},
        max_price=12.0,
    ),
    "priced orderings": Decorations(
        elements=("Co", "Fe", "Ni"),
        lattices=("fcc",),
        atoms=16,
        prices={"Co": 33.0, "Fe": 0.5, "Ni": 18.0},
        max_price=12.0,
    ),
    "structures": Structures(
        kind="structures",
        elements=("Li", "Ni", "Cu", "Al", "Si", "C"),
        fractions={"Ni": (0.0, 0.5)},
        max_atoms=5,
    ),
}


def moves_in(name: str) -> Moves:
    return moves_of(SPACES[name], {})


def fractions_of(materials: list[Material], space: AnySpace) -> np.ndarray:
    return np.array([[composition_of(m)[el] for el in space.elements] for m in materials])


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_every_move_keeps_the_bounds_and_changes_something(name: str, seed: int) -> None:
    moves, rng = moves_in(name), np.random.default_rng(seed)
    a, b = moves.draw(40, rng), moves.draw(40, rng)
    moved, children = moves.mutate(a, rng), moves.crossover(a, b, rng)
    for codes in (a, moved, children):
        assert moves.in_bounds(codes).all()
        # The space's own rules agree, which know nothing of codes.
        for material in moves.decode(codes[:8]):
            rejection = screen(material, SPACES[name], Seen())
            assert rejection is None or rejection.rule == "min_distance"
    assert (moves.distance(a, moved) > 0).all()
    assert (moves.distance(a, a) == 0).all()
    assert np.array_equal(moves.distance(a, b), moves.distance(b, a))


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_codes_and_recorded_changes_give_the_same_material_again(name: str, seed: int) -> None:
    moves, rng = moves_in(name), np.random.default_rng(seed)
    codes = moves.draw(20, rng)
    assert np.array_equal(moves.encode(moves.decode(codes)), codes)
    far = moves.mutate(moves.mutate(moves.crossover(codes, codes[::-1], rng), rng), rng)
    for parent, code in zip(codes, far, strict=True):
        assert np.array_equal(moves.apply(parent, moves.changes(parent, code)), code)


@pytest.mark.parametrize("name", ["fixed", "ternary", "charged", "few elements", "compositions"])
def test_what_random_candidates_draws_has_a_code(name: str) -> None:
    moves, drawn = moves_in(name), list(random_materials(SPACES[name], 5, 20))
    codes = moves.encode(drawn)
    assert moves.in_bounds(codes).all()
    assert [material_id(m) for m in moves.decode(codes)] == [material_id(m) for m in drawn]


def test_draws_of_decorations_are_uniform_over_the_allowed_counts() -> None:
    moves = moves_in("ternary")
    codes = moves.draw(6000, np.random.default_rng(0))
    counts = Counter(tuple((code[1:] == el).sum() for el in range(3)) for code in codes)
    allowed = [c for c in product(range(17), repeat=3) if sum(c) == 16 and 4 <= c[0] <= 8]
    assert set(counts) == set(allowed)
    expected = len(codes) / len(allowed)
    # χ² with len(allowed) − 1 degrees of freedom: mean that, variance twice that; six sigma.
    chi2 = sum((counts[c] - expected) ** 2 / expected for c in allowed)
    n = len(allowed) - 1
    assert chi2 < n + 6 * (2 * n) ** 0.5
    assert np.mean(codes[:, 0]) == pytest.approx(0.5, abs=0.04)


def test_exchanges_of_unlike_atoms_are_all_equally_probable() -> None:
    moves = DecorationMoves(FIXED)
    start = np.array([0] + [0] * 4 + [1] * 4 + [2] * 8)
    moved = moves.mutate(np.repeat(start[None], 32_000, axis=0), np.random.default_rng(1))
    pairs = Counter(tuple(np.flatnonzero(row != start)) for row in moved)
    assert len(pairs) == 4 * 4 + 4 * 8 + 4 * 8
    # 400 of each: a Poisson number, within five standard deviations.
    assert all(abs(count - 400) < 100 for count in pairs.values())


def test_moves_lead_from_any_decoration_to_any_other() -> None:
    moves = DecorationMoves(BINARY)
    reached = {(0, 0, 0)}
    rng = np.random.default_rng(2)
    for _ in range(30):
        reached |= {tuple(row) for row in moves.mutate(np.array(sorted(reached)), rng).tolist()}
    assert reached == {(0, i, j) for i in (0, 1) for j in (0, 1)}


def test_a_single_material_is_returned_as_it_is() -> None:
    only = Decorations(
        elements=("Ni", "Cr"), lattices=("fcc",), atoms=2, fractions={"Ni": (1.0, 1.0)}
    )
    moves = DecorationMoves(only)
    codes = moves.draw(3, np.random.default_rng(0))
    assert np.array_equal(moves.mutate(codes, np.random.default_rng(0)), codes)


def test_a_child_is_made_of_what_its_parents_hold() -> None:
    moves, rng = DecorationMoves(FIXED), np.random.default_rng(3)
    a, b = moves.draw(200, rng), moves.draw(200, rng)
    child = moves.crossover(a, b, rng)
    same = a[:, 1:] == b[:, 1:]
    assert (child[:, 1:] == a[:, 1:])[same].all()
    assert moves.distance(child, a).mean() > 1
    assert moves.distance(child, b).mean() > 1


def test_a_shift_may_be_as_small_as_one_part_in_a_thousand() -> None:
    moves = CompositionMoves(Compositions(kind="compositions", elements=("Fe", "Ni")))
    codes = np.repeat([[400, 600]], 2000, axis=0)
    sizes = moves.distance(codes, moves.mutate(codes, np.random.default_rng(4)))
    assert sizes.min() == 1
    assert sizes.max() > 200
    # Uniform in the logarithm: of 1 to 500 parts, the median is about √500 ≈ 22 (exchanges: 200).
    assert 10 < np.median(sizes) < 60


def test_blends_of_compositions_lie_between_their_parents() -> None:
    space = SPACES["compositions"]
    moves, rng = moves_in("compositions"), np.random.default_rng(5)
    a = moves.draw(50, rng)
    b = moves.mutate(a, rng)
    child = moves.crossover(a, b, rng)
    inside = (child >= np.minimum(a, b) - 1) & (child <= np.maximum(a, b) + 1)
    assert inside.all(axis=1).mean() > 0.6  # the others had too many elements
    assert np.allclose(fractions_of(moves.decode(child), space).sum(axis=1), 1.0)


def test_rounding_to_whole_parts_is_off_by_less_than_one() -> None:
    fractions = np.random.default_rng(6).dirichlet(np.ones(7), size=200)
    parts = whole_parts(fractions)
    assert (parts.sum(axis=1) == 1000).all()
    assert np.abs(parts - 1000 * fractions).max() < 1


def test_known_crystals_lend_their_frames() -> None:
    space = Structures(kind="structures", elements=("Li", "Ni", "Cu", "Al", "Si"), max_atoms=8)
    known = next(m for m in random_materials(space, 0, 40) if len(m) == 4)
    stretched = known.copy()
    stretched.apply_strain([0.0, 0.1, 0.0])
    moves = StructureMoves(space, {"stretched": stretched})
    assert [frame.name for frame in moves.frames][-1] == "stretched"
    code = moves.encode([stretched])
    again = moves.decode(code)[0]
    assert np.allclose(again.lattice.matrix, stretched.lattice.matrix)
    assert np.allclose(again.distance_matrix, stretched.distance_matrix)
    with pytest.raises(MaterialError, match="frame"):
        StructureMoves(space, {}).encode([stretched])


def test_crystals_of_a_frame_keep_their_atoms_apart() -> None:
    space = SPACES["structures"]
    moves = moves_in("structures")
    drawn = moves.decode(moves.draw(200, np.random.default_rng(7)))
    close = [has_enough_distance(m, space) for m in drawn]
    assert sum(rejection is None for rejection in close) > 150


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ternary", ("site 16", "Ni")),
        ("ternary", ("site 1", "Co")),
        ("compositions", ("Mn", "0.100")),
        ("structures", ("frame", "unheard of")),
    ],
)
def test_changes_that_name_what_is_not_there_are_refused(
    name: str, change: tuple[str, str]
) -> None:
    moves = moves_in(name)
    code = moves.draw(1, np.random.default_rng(8))[0]
    with pytest.raises(MaterialError):
        moves.apply(code, [change])


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_neighbouring_compositions_are_in_bounds_and_each_comes_once(name: str, seed: int) -> None:
    moves, rng = moves_in(name), np.random.default_rng(seed)
    code = moves.draw(1, rng)[0]
    around = moves.neighbouring_compositions(code, rng)
    assert around.shape[1:] == code.shape
    assert moves.in_bounds(around).all()
    assert (moves.distance(around, code) > 0).all()
    assert len(np.unique(around, axis=0)) == len(around)


def test_steps_of_composition_become_finer() -> None:
    rng = np.random.default_rng(9)
    alloys = CompositionMoves(Compositions(kind="compositions", elements=("Fe", "Ni")))
    code = np.array([500, 500])
    steps = alloys.distance(alloys.neighbouring_compositions(code, rng), code)
    assert steps.tolist() == [s for s in (200, 100, 50, 20, 10, 5, 2, 1) for _ in range(2)]
    orderings = DecorationMoves(Decorations(elements=("Ni", "Cr"), lattices=("fcc",), atoms=16))
    code = np.array([0] + 8 * [0, 1])
    steps = orderings.distance(orderings.neighbouring_compositions(code, rng), code)
    assert steps.tolist() == [4, 4, 2, 2, 1, 1]
    fixed = DecorationMoves(FIXED)
    assert not len(fixed.neighbouring_compositions(fixed.draw(1, rng)[0], rng))


@pytest.mark.parametrize("name", SPACES)
def test_the_seed_decides(name: str) -> None:
    def once(seed: int) -> list[list[int]]:
        moves, rng = moves_in(name), np.random.default_rng(seed)
        codes = moves.draw(10, rng)
        return moves.crossover(moves.mutate(codes, rng), codes, rng).tolist()

    assert once(1) == once(1) != once(2)


@pytest.mark.parametrize("name", SPACES)
def test_fractions_are_those_of_the_materials(name: str) -> None:
    space, moves = SPACES[name], moves_in(name)
    codes = moves.draw(12, np.random.default_rng(3))
    wanted = fractions_of(moves.decode(codes), space)
    assert moves.fractions(codes) == pytest.approx(wanted.astype(float), abs=1e-9)
