import pytest
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from alloop.errors import MaterialError
from benchmarks.ftcp.intermetallics import PROTOTYPES, draw_prototypes

SPACE_GROUPS = {
    "half-Heusler": "F-43m",
    "Heusler": "Fm-3m",
    "inverse Heusler": "F-43m",
    "antiperovskite carbide": "Pm-3m",
    "ThCr2Si2": "I4/mmm",
}
"""International Tables' symbols of the types, as in any database."""


@pytest.mark.parametrize("prototype", PROTOTYPES, ids=lambda one: one.name)
def test_prototypes_have_their_symmetry(prototype):
    third = "C" if "carbide" in prototype.name else "Si"
    cell = prototype.build(("Ni", "Ti", third))
    assert SpacegroupAnalyzer(cell).get_space_group_symbol() == SPACE_GROUPS[prototype.name]
    assert len(cell.composition) == 3
    assert 8 < cell.volume / len(cell) < 25


def test_draws_are_different_ternaries_and_follow_the_seed():
    cells = draw_prototypes(60, seed=1)
    assert cells == draw_prototypes(60, seed=1)
    assert cells != draw_prototypes(60, seed=2)
    assert all(len(cell.composition) == 3 for cell in cells)
    assert len({(cell.formula, len(cell), str(cell.species)) for cell in cells}) > 50


def test_draws_keep_to_the_elements_and_end_when_all_are_drawn():
    cells = draw_prototypes(1000, seed=0, elements=("Ni", "Ti", "C", "Si", "O"))
    # Ni and Ti either way round: four types with silicon, one with carbon
    assert len(cells) == 10
    assert {str(el) for cell in cells for el in cell.elements} == {"Ni", "Ti", "C", "Si"}
    assert len(draw_prototypes(1000, seed=0, elements=("Ni", "Ti", "C"))) == 2
    with pytest.raises(MaterialError, match="no ternary prototype can be made of Ni, O"):
        draw_prototypes(1, seed=0, elements=("Ni", "O"))
