"""Prototypes from AFLOW's library: their symmetry, their names, and the cells made of them."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from alloop.errors import MaterialError
from alloop.loop.choose.random_candidates import random_materials
from alloop.space import Structures
from alloop.space.structures import MOST_ELEMENTS
from alloop.structure_types.aflow import aflow_frames
from alloop.structure_types.frames import Frame

ELEMENTS = ("Sr", "Ti", "O", "N", "Fe")


def frame(label: str) -> Frame:
    (found,) = (each for each in aflow_frames(12) if each.name.split()[0] == label)
    return found


def test_space_groups_are_those_that_their_labels_say() -> None:
    frames = aflow_frames(6)
    assert len(frames) > 100
    higher = set()
    for each in frames:
        cell = each.fill(ELEMENTS[: each.n_slots])
        number = SpacegroupAnalyzer(cell, symprec=0.01).get_space_group_number()
        if number != int(each.name.split()[0].split("_")[2]):
            higher.add(each.name)
    # The library's own values of these two's free coordinates make them more symmetric.
    assert higher == {"AB3_tI16_140_b_ah (D0_c)", "A2B_oC12_38_de_ab"}


def test_names_and_frames_are_all_different() -> None:
    frames = aflow_frames(40)
    assert len({each.name for each in frames}) == len({each.key for each in frames}) == len(frames)
    assert max(len(each.slots) for each in frames) == 40
    assert max(each.n_slots for each in frames) == MOST_ELEMENTS


@pytest.mark.parametrize(
    ("label", "elements", "published", "tolerance"),
    [
        # Materials' lattice parameters at room temperature: CRC Handbook, 12-18 and following.
        ("AB_cF8_225_a_b", ("Na", "Cl"), 5.6402**3 / 8, 0.05),
        ("A2B_tP6_136_f_a", ("O", "Ti"), 4.5937**2 * 2.9587 / 6, 0.05),
        ("A_cF4_225_a", ("Cu",), 3.6149**3 / 4, 0.05),
        ("AB_cP2_221_b_a", ("Ni", "Al"), 2.8864**3 / 2, 0.05),
        ("AB_cF8_216_c_a", ("Zn", "S"), 5.4093**3 / 8, 0.11),  # covalent: ionic radii are too large
    ],
)
def test_cells_begin_near_their_published_size(
    label: str, elements: tuple[str, ...], published: float, tolerance: float
) -> None:
    cell = frame(label).fill(elements)
    edge = (cell.volume / len(cell) / published) ** (1 / 3)
    assert edge == pytest.approx(1.0, abs=tolerance)


def test_strontium_titanate_is_among_what_its_elements_can_be() -> None:
    space = Structures(kind="structures", elements=("Sr", "Ti", "O"), max_atoms=5)
    perovskite = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.905), ["Sr", "Ti", "O"], [[0.5] * 3, [0, 0, 0], [0.5, 0, 0]]
    )
    matcher = StructureMatcher()
    drawn = list(random_materials(space, 0, 1000))
    assert any(matcher.fit(perovskite, cell) for cell in drawn)
    assert {len(cell.composition) for cell in drawn} == {2, 3}


def test_elements_by_themselves_are_drawn_where_there_is_nothing_else() -> None:
    space = Structures(kind="structures", elements=("C",), max_atoms=8, min_distance=0.5)
    drawn = list(random_materials(space, 1, 1000))
    unary = [each for each in aflow_frames(8) if each.n_slots == 1]
    assert len(drawn) == len(unary) > 30
    diamond = Structure.from_spacegroup("Fd-3m", Lattice.cubic(3.567), ["C"], [[0.0] * 3])
    assert any(StructureMatcher().fit(diamond, cell) for cell in drawn)


def test_bonds_are_those_of_a_rock_salt() -> None:
    bonds = frame("AB_cF8_225_a_b").bonds
    assert len(bonds) == 12  # six neighbours of either site
    assert all(first != second for first, second, _ in bonds)
    assert np.allclose([length for *_, length in bonds], 1.0)  # edge of a cube of one site


@pytest.mark.filterwarnings("ignore:No data available for molar_volume")
def test_an_element_without_a_tabulated_volume_is_refused() -> None:
    with pytest.raises(MaterialError, match="no molar volume is tabulated for Og"):
        frame("A_cF4_225_a").fill(["Og"])
