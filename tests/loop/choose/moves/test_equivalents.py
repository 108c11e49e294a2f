"""Known orderings are told from new ones as the canonical form tells them."""

import numpy as np
import pytest

from alloop.loop.choose.moves.decorations import DecorationMoves
from alloop.loop.choose.moves.equivalents import KnownOrderings, known_orderings
from alloop.loop.choose.screening import canonical_key
from alloop.models.lattice.decorations import DecorationSpace
from alloop.space import Decorations


def space(*lattices, atoms=16):
    fractions = {"Ni": (0.7, 0.9), "Cr": (0.1, 0.3)}
    return Decorations(elements=("Ni", "Cr"), lattices=lattices, atoms=atoms, fractions=fractions)


def test_what_is_equivalent_to_a_known_ordering_is_known_and_nothing_else():
    alloys = space("fcc", "bcc")
    moves, rng = DecorationMoves(alloys), np.random.default_rng(1)
    known, looked_at = moves.draw(60, rng), moves.draw(600, rng)
    told = KnownOrderings(DecorationSpace.of_space(alloys), known)(looked_at)
    keys = {canonical_key(material) for material in moves.decode(known)}
    expected = [canonical_key(material) in keys for material in moves.decode(looked_at)]
    assert told.tolist() == expected
    assert 20 < sum(expected) < 580


def test_every_image_of_a_known_ordering_is_known():
    alloys = space("fcc")
    moves = DecorationMoves(alloys)
    code = moves.draw(1, np.random.default_rng(2))
    orderings = DecorationSpace.of_space(alloys)
    images = code[0, 1:][orderings.parents[0].equivalences]
    codes = np.hstack([np.zeros((len(images), 1), dtype=np.int64), images])
    assert KnownOrderings(orderings, code)(codes).all()
    assert not KnownOrderings(orderings, [])(codes).any()


@pytest.mark.parametrize("atoms", [54, 128])
def test_in_large_cells_it_would_not_pay(atoms):
    assert known_orderings(space("fcc", atoms=atoms), []) is None
