"""Limits that people have: bans, prices, steps, numbers of elements, pairs, rules of their own."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from pymatgen.core import Composition, Element, Lattice, Structure

from alloop import kinds
from alloop.errors import PluginError
from alloop.loop.choose.moves.compositions import rounded
from alloop.loop.choose.moves.of_space import moves_of
from alloop.loop.choose.random_candidates import random_materials
from alloop.loop.choose.screening import Seen, screen
from alloop.materials import Material, composition_of
from alloop.space import Compositions, Decorations, Structures

PRICES = {"Co": 33.0, "Cr": 9.0, "Fe": 0.5, "Ni": 18.0}
ALLOYS: dict[str, Any] = {"kind": "compositions", "elements": ["Co", "Cr", "Fe", "Ni"]}


def price(material: Material) -> float:
    """Price per kg by the masses of IUPAC, worked out apart from the code."""
    amounts = composition_of(material).get_el_amt_dict()
    masses = {el: x * Element(el).atomic_mass for el, x in amounts.items()}
    return sum(PRICES[el] * mass for el, mass in masses.items()) / sum(masses.values())


def test_what_is_banned_is_taken_out_of_all_that_lists_it() -> None:
    alloys = Compositions.model_validate(
        {**ALLOYS, "banned": ["Co"], "fractions": {"Co": [0.1, 0.2], "Ni": [0, 0.5]}}
    )
    assert alloys.elements == ("Cr", "Fe", "Ni")
    assert set(alloys.fractions) == {"Ni"}
    oxides = Decorations.model_validate(
        {
            "parent": "rocksalt",
            "supercell": [1, 1, 1],
            "banned": ["Cd"],
            "sublattices": {"A": {"elements": ["Mg", "Cd", "Zn"]}, "X": {"elements": ["O"]}},
        }
    )
    assert oxides.elements == ("Mg", "Zn", "O")
    assert Decorations.model_validate(oxides.model_dump(mode="json")) == oxides
    with pytest.raises(ValidationError, match="everything on sublattice X is banned"):
        Decorations.model_validate(
            {
                "parent": "rocksalt",
                "banned": ["O"],
                "sublattices": {"A": {"elements": ["Mg", "Zn"]}, "X": {"elements": ["O"]}},
            }
        )


def test_nothing_that_is_drawn_or_moved_to_costs_more_than_the_largest_price() -> None:
    limits = {"prices": PRICES, "max_price": 12.0}
    rng = np.random.default_rng(0)
    for space in (
        Compositions.model_validate({**ALLOYS, **limits}),
        Decorations.model_validate(
            {"elements": ["Co", "Fe", "Ni"], "lattices": ["fcc"], "atoms": 16, **limits}
        ),
    ):
        moves = moves_of(space, {})
        codes = moves.draw(60, rng)
        made = [*random_materials(space, 1, 60), *moves.decode(codes)]
        made += moves.decode(moves.mutate(codes, rng))
        assert max(price(material) for material in made) <= 12.0 + 1e-9
        assert max(price(material) for material in made) > 10.0  # the limit is reached
    dear = Composition("Co0.5Ni0.5")
    rejection = screen(dear, Compositions.model_validate({**ALLOYS, **limits}), Seen())
    assert rejection is not None
    assert rejection.rule == "price"
    assert f"{price(dear):.4g} per kg" in rejection.reason


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"max_price": 10}, "needs the prices of Co, Cr, Fe, Ni"),
        ({"prices": PRICES}, "change nothing without max_price"),
        ({"prices": PRICES, "max_price": 0.1}, "every element costs more"),
        ({"step": 0.03}, "does not divide 1"),
        ({"step": 0.25, "fractions": {"Ni": [0.3, 0.4]}}, "no whole number of steps"),
        ({"screens": ["no-such-rule"]}, "there is no kind 'no-such-rule'"),
    ],
)
def test_limits_that_cannot_be_kept_are_refused(limits: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Compositions.model_validate({**ALLOYS, **limits})


def test_alloys_come_in_steps_that_can_be_weighed() -> None:
    space = Compositions.model_validate({**ALLOYS, "step": 0.05})
    moves, rng = moves_of(space, {}), np.random.default_rng(0)
    codes = moves.mutate(moves.draw(50, rng), rng)
    made = [*random_materials(space, 0, 50), *moves.decode(codes)]
    made += rounded([Composition("Co0.333Cr0.333Fe0.334")], space)
    for material in made:
        for fraction in composition_of(material).get_el_amt_dict().values():
            assert fraction / 0.05 == pytest.approx(round(fraction / 0.05))
    rejection = screen(Composition("Co0.333Fe0.667"), space, Seen())
    assert rejection is not None
    assert rejection.rule == "step"


def test_crystals_have_no_more_elements_than_allowed() -> None:
    told = {"kind": "structures", "elements": ["Li", "Ni", "Cu", "Al", "Si", "C"], "max_atoms": 5}
    space = Structures.model_validate({**told, "max_elements": 2})
    ternary = Structure(Lattice.cubic(6), ["Li", "Ni", "Cu"], [[0, 0, 0], [0.5] * 3, [0.5, 0, 0]])
    rejection = screen(ternary, space, Seen())
    assert rejection is not None
    assert (rejection.rule, rejection.margin) == ("size", -1)


def test_pairs_of_elements_have_distances_of_their_own() -> None:
    space = Structures.model_validate(
        {"kind": "structures", "elements": ["Ti", "O"], "min_distances": {"O-O": 2.2}}
    )
    near = Structure(Lattice.cubic(6), ["O", "O", "Ti"], [[0, 0, 0], [0.35, 0, 0], [0, 0.3, 0]])
    rejection = screen(near, space, Seen())
    assert rejection is not None
    assert "O and O are 2.100 Å apart" in rejection.reason
    assert rejection.margin == pytest.approx(-0.1)
    apart = Structure(Lattice.cubic(6), ["O", "O", "Ti"], [[0, 0, 0], [0.4, 0, 0], [0, 0.3, 0]])
    assert screen(apart, space, Seen()) is None
    with pytest.raises(ValidationError, match="names no pair"):
        Structures.model_validate(
            {"kind": "structures", "elements": ["Ti", "O"], "min_distances": {"O": 2.2}}
        )


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Pretend that a package brings a screen of the name ``no-iron``."""

    def installed(rule: Any) -> None:
        entry = SimpleNamespace(value="mine:rule", load=lambda: rule)
        kind = kinds.Kind("no-iron", kinds.SCREENS, "mine", "1.0", entry)  # type: ignore[arg-type]
        known = {kinds.SCREENS: {"no-iron": (kind,)}}
        monkeypatch.setattr(kinds, "installed_kinds", lambda group: known.get(group, {}))

    return installed


def test_a_rule_of_ones_own_screens_candidates(install: Callable[[Any], None]) -> None:
    install(lambda material: "it rusts" if "Fe" in composition_of(material) else None)
    space = Compositions.model_validate({**ALLOYS, "screens": ["no-iron"]})
    assert screen(Composition("Co0.5Ni0.5"), space, Seen()) is None
    rejection = screen(Composition("Fe0.5Ni0.5"), space, Seen())
    assert rejection is not None
    assert (rejection.rule, rejection.reason) == ("screens", "no-iron: it rusts")


def test_a_rule_that_fails_is_named(install: Callable[[Any], None]) -> None:
    install(lambda material: 1 / 0)
    space = Compositions.model_validate({**ALLOYS, "screens": ["no-iron"]})
    with pytest.raises(PluginError, match="kind no-iron of mine"):
        screen(Composition("Fe0.5Ni0.5"), space, Seen())
