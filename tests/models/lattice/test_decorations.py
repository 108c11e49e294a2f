from collections import Counter

import numpy as np
import pytest
from pymatgen.core import Composition

from alloop.errors import MaterialError, ModelError
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.parent import ParentLattice

BOUNDS = {"Ni": (1, 2), "Fe": (0, 2), "Cr": (0, 1)}


def test_count_vectors_are_drawn_equally_often():
    space = DecorationSpace.of(("Ni", "Fe", "Cr"), ("fcc",), 2, BOUNDS)
    codes, lattices = space.draw(6000, np.random.default_rng(1))
    seen = Counter(tuple(np.bincount(row, minlength=3).tolist()) for row in codes)
    assert set(seen) == {(2, 0, 0), (1, 1, 0), (1, 0, 1)}
    # Three equally probable outcomes: 2000 each, standard deviation 36.5.
    assert all(abs(n - 2000) < 150 for n in seen.values())
    assert not lattices.any()


def test_draws_stay_within_bounds_on_both_lattices():
    bounds = {"Ni": (6, 32), "Fe": (6, 32), "Cr": (6, 32)}
    space = DecorationSpace.of(("Ni", "Fe", "Cr"), ("fcc", "bcc"), 54, bounds)
    codes, lattices = space.draw(200, np.random.default_rng(1))
    counts = np.array([np.bincount(row, minlength=3) for row in codes])
    assert counts.min() >= 6
    assert counts.max() <= 32
    assert set(lattices) == {0, 1}


def test_structures_are_read_as_they_were_written():
    space = DecorationSpace.of(("Ni", "Fe"), ("bcc", "fcc"), 16, {})
    codes, lattices = space.draw(10, np.random.default_rng(2))
    cells = [space.structure(c, lat) for c, lat in zip(codes, lattices, strict=True)]
    read_codes, read_lattices = space.read(cells)
    np.testing.assert_array_equal(read_codes, codes)
    np.testing.assert_array_equal(read_lattices, lattices)


@pytest.mark.parametrize(
    ("material", "says"),
    [
        (Composition("NiFe"), "no sites"),
        (ParentLattice.alloy("fcc", 2).structure(["Ni"] * 15 + ["Cu"]), "contains Cu"),
        (ParentLattice.alloy("bcc", 2).structure(["Ni"] * 16), "this model knows fcc"),
        (ParentLattice.alloy("fcc", 1).structure(["Ni"] * 2), "16 atoms"),
    ],
)
def test_materials_outside_the_space_are_refused(material, says):
    space = DecorationSpace.of(("Ni", "Fe"), ("fcc",), 16, {})
    with pytest.raises(MaterialError, match=says):
        space.read([material])


@pytest.mark.parametrize(
    ("elements", "lattices", "atoms", "bounds"),
    [
        (("Ni",), ("fcc",), 16, {}),
        (("Ni", "Ni"), ("fcc",), 16, {}),
        (("Ni", "Xx"), ("fcc",), 16, {}),
        (("Ni", "Fe"), (), 16, {}),
        (("Ni", "Fe"), ("hcp",), 16, {}),
        (("Ni", "Fe"), ("fcc", "fcc"), 16, {}),
        (("Ni", "Fe"), ("fcc",), 17, {}),
        (("Ni", "Fe"), ("fcc",), 16, {"Cr": (0, 1)}),
        (("Ni", "Fe"), ("fcc",), 16, {"Ni": (3, 2)}),
        (("Ni", "Fe"), ("fcc",), 16, {"Ni": (0, 7), "Fe": (0, 8)}),
    ],
)
def test_spaces_that_make_no_sense_are_refused(elements, lattices, atoms, bounds):
    with pytest.raises(ModelError):
        DecorationSpace.of(elements, lattices, atoms, bounds)
