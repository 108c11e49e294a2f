"""What is drawn at random lies in the space, covers it, and follows its seed."""

from collections import Counter

import numpy as np
import pytest
from pymatgen.core import Composition, Structure

from alloop.errors import MaterialError
from alloop.loop.choose.moves.compositions import FRACTION_STEPS
from alloop.loop.choose.random_candidates import random_materials
from alloop.loop.choose.screening import Seen, screen
from alloop.materials import material_id
from alloop.space import AnySpace, Compositions, Decorations, Structures

SPACES: list[AnySpace] = [
    Decorations(elements=("Ni", "Fe", "Cr"), fractions={"Ni": (0.25, 0.5)}, atoms=16),
    Structures(kind="structures", elements=("Li", "Ni", "Cu", "Al", "Si"), max_atoms=4),
    Compositions(
        kind="compositions",
        elements=("Al", "Co", "Cr", "Fe", "Ni"),
        fractions={"Al": (0.05, 0.2), "Cr": (0.0, 0.35)},
        min_elements=3,
        max_elements=4,
    ),
]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.kind)
def test_what_is_drawn_passes_the_space_s_own_rules(space: AnySpace) -> None:
    drawn = list(random_materials(space, 3, 40))
    assert len(drawn) == 40
    assert [screen(material, space, Seen()) for material in drawn] == [None] * 40
    assert len({material_id(material) for material in drawn}) > 35


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.kind)
def test_the_seed_decides(space: AnySpace) -> None:
    ids = [[material_id(m) for m in random_materials(space, seed, 5)] for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_compositions_are_uniform_over_numbers_of_elements_and_whole_parts() -> None:
    space = Compositions(kind="compositions", elements=("Al", "Co", "Cr", "Fe"))
    drawn = list(random_materials(space, 0, 2000))
    numbers = Counter(
        len(material.elements) for material in drawn if isinstance(material, Composition)
    )
    # 2000 draws of 4 equal chances: 500 ± 19 (one standard deviation).
    assert all(abs(numbers[n] - 500) < 80 for n in (1, 2, 3, 4))
    parts = np.array([FRACTION_STEPS * material.get_atomic_fraction("Fe") for material in drawn])
    assert np.allclose(parts, parts.round(), atol=1e-9)
    three = [m.get_atomic_fraction("Fe") for m in drawn if len(m.elements) == 3 and "Fe" in m]
    # Uniform on the triangle: each fraction has the mean 1/3 and the standard deviation 1/√18.
    assert np.mean(three) == pytest.approx(1 / 3, abs=0.04)
    assert np.std(three) == pytest.approx(18**-0.5, abs=0.03)


def test_fractions_too_tight_to_hit_are_said_to_be() -> None:
    elements = ("Al", "Co", "Cr", "Fe", "Ni")
    space = Compositions(
        kind="compositions",
        elements=elements,
        fractions=dict.fromkeys(elements, (0.0, 0.2)),
    )
    with pytest.raises(MaterialError, match="none of 10000 compositions"):
        next(iter(random_materials(space, 0, 1)))


def test_crystals_with_too_many_atoms_or_elements_are_turned_away() -> None:
    structures, compositions = SPACES[1], SPACES[2]
    cell = next(m for m in random_materials(structures, 0, 40) if len(m) == 4)
    assert isinstance(cell, Structure)
    large = cell.make_supercell([2, 1, 1], in_place=False)
    rejection = screen(large, structures, Seen())
    assert rejection is not None
    assert (rejection.rule, rejection.margin) == ("size", -4)
    rejection = screen(Composition("Al0.15Ni0.85"), compositions, Seen())
    assert rejection is not None
    assert (rejection.rule, rejection.margin) == ("size", -1)
