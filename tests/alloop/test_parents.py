"""Prototypes, supercells and sizes of parents against published crystals and by counting."""

import pytest
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from alloop.models.lattice.decorations import DecorationSpace
from alloop.parents.options import ParentOptions
from alloop.parents.prototypes import PROTOTYPES
from alloop.parents.unit_cell import prototype_cell, repeats_for
from alloop.space import Decorations

COMPOUNDS = {
    # Formula on the labelled sites, space group (International Tables), lattice parameter a in Å
    # at room temperature (CRC Handbook; Wyckoff, Crystal Structures).
    "fcc": ({"A": "Cu"}, "Fm-3m", 3.615),
    "bcc": ({"A": "W"}, "Im-3m", 3.165),
    "hcp": ({"A": "Mg"}, "P6_3/mmc", 3.209),
    "diamond": ({"A": "Si"}, "Fd-3m", 5.431),
    "B2": ({"A": "Ni", "B": "Al"}, "Pm-3m", 2.887),
    "L1_0": ({"A": "Fe", "B": "Pt"}, "P4/mmm", 2.722),
    "L1_2": ({"A": "Ni", "B": "Al"}, "Pm-3m", 3.567),
    "L2_1": ({"A": "Cu", "B": "Mn", "C": "Al"}, "Fm-3m", 5.95),
    "rocksalt": ({"A": "Mg", "X": "O"}, "Fm-3m", 4.212),
    "fluorite": ({"A": "Ce", "X": "O"}, "Fm-3m", 5.411),
    "rutile": ({"A": "Ti", "X": "O"}, "P4_2/mnm", 4.594),
    "perovskite": ({"A": "Sr", "B": "Ti", "X": "O"}, "Pm-3m", 3.905),
    "spinel": ({"A": "Mg", "B": "Al", "X": "O"}, "Fd-3m", 8.083),
    "layered-oxide": ({"A": "Li", "B": "Co", "X": "O"}, "R-3m", 2.816),
}


def compound(name: str) -> Structure:
    """The stoichiometric crystal of a prototype, of a guessed size."""
    occupants, _, _ = COMPOUNDS[name]
    other = "Au"  # a second species, so that there is something to order
    data = {
        "parent": name,
        "supercell": [1, 1, 1],
        "sublattices": {
            label: {"elements": [element, other] if label == "A" else [element]}
            for label, element in occupants.items()
        },
    }
    space = DecorationSpace.of_space(Decorations.model_validate(data))
    codes = [space.species.index(occupants["A"])] * space.n_open
    return space.structure(codes, 0)


@pytest.mark.parametrize("name", COMPOUNDS)
def test_a_prototype_has_its_space_group_and_about_its_size(name: str) -> None:
    _, group, edge = COMPOUNDS[name]
    crystal = compound(name)
    analysed = SpacegroupAnalyzer(crystal, symprec=1e-3)
    assert analysed.get_space_group_symbol() == group
    assert crystal.lattice.a == pytest.approx(edge, rel=0.06)


def test_every_prototype_can_be_built() -> None:
    for name, prototype in PROTOTYPES.items():
        assert len(prototype_cell(name, None, None).labels) == prototype.n_sites


def test_given_lattice_parameters_are_kept() -> None:
    cell = ParentOptions.model_validate({"prototype": "wurtzite", "a": 3.25, "c": 5.21}).unit_cell()
    assert cell.vectors[2] == pytest.approx((0, 0, 5.21))
    assert cell.volume == pytest.approx(3.25**2 * 3**0.5 / 2 * 5.21)


@pytest.mark.parametrize(
    ("name", "sites", "is_exact", "repeats"),
    [
        ("fcc", 32, True, (2, 2, 2)),
        ("fcc", 108, True, (3, 3, 3)),
        ("bcc", 54, True, (3, 3, 3)),
        ("hcp", 54, False, (4, 4, 2)),
        ("spinel", 10, False, (1, 1, 1)),
        ("perovskite", 39, True, None),
    ],
)
def test_supercells_are_as_near_to_a_cube_as_can_be(
    name: str, sites: int, is_exact: bool, repeats: tuple[int, int, int] | None
) -> None:
    assert repeats_for(prototype_cell(name, None, None), sites, is_exact=is_exact) == repeats
