"""CIF text: one text is one material, whichever door it comes in by."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from alloop.errors import MaterialError
from alloop.files.cif import read_cif
from alloop.files.structure_files import read_structure
from alloop.materials import material_id
from alloop.models.crystal_table import read_crystal_table
from alloop.oracles.table.options import TableOptions
from alloop.oracles.table.oracle import TableOracle

HCP = """data_x
_cell_length_a 2.49
_cell_length_b 2.49
_cell_length_c 4.05
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M 'P 63/m m c'
_symmetry_Int_Tables_number 194
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ni1 {x} {y} 0.25
"""
FREE = [
    ("P1", 1, Lattice.from_parameters(4.1, 4.9, 5.7, 78, 97, 108)),
    ("Pnma", 62, Lattice.orthorhombic(5.4, 7.7, 5.3)),
    ("P4/mmm", 123, Lattice.tetragonal(3.9, 6.1)),
    ("R-3m", 166, Lattice.hexagonal(3.2, 12.0)),
    ("P6_3/mmc", 194, Lattice.hexagonal(5.1, 4.2)),
    ("Fd-3m", 227, Lattice.cubic(7.9)),
]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """CIFs of one to three sites, near special positions or not, with 2 to 6 digits."""
    name, _, lattice = draw(st.sampled_from(FREE))
    digits = draw(st.integers(2, 6))
    special = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1 / 6, 1 / 8])
    coordinate = st.one_of(special, st.floats(0, 0.99))
    n = draw(st.integers(1, 3))
    lines = [
        f"_cell_length_{axis} {length:.4f}" for axis, length in zip("abc", lattice.abc, strict=True)
    ]
    lines += [
        f"_cell_angle_{angle} {value:.4f}"
        for angle, value in zip(("alpha", "beta", "gamma"), lattice.angles, strict=True)
    ]
    lines += [f"_symmetry_space_group_name_H-M '{name}'", "loop_", "_atom_site_label"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"]
    for i in range(n):
        xyz = " ".join(f"{draw(coordinate):.{digits}f}" for _ in range(3))
        lines.append(f"{draw(st.sampled_from(['Ni', 'Fe', 'O']))}{i} {xyz}")
    return "\n".join(["data_x", *lines, ""])


def _from_a_file(text: str, folder: Path) -> str:
    (folder / "a.cif").write_text(text)
    return material_id(read_structure(folder / "a.cif").structure)


def _from_a_data_set(text: str, folder: Path) -> str:
    pd.DataFrame({"cif": [text]}).to_csv(folder / "set.csv")
    (crystal,) = read_crystal_table(folder / "set.csv", {}).data.materials
    return material_id(crystal)


def _from_a_table_tier(text: str, folder: Path) -> str:
    pd.DataFrame({"cif": [text], "k": [1.0]}).to_csv(folder / "table.csv", index=False)
    properties = {"bulk_modulus": "k"}
    options = TableOptions(file=folder / "table.csv", properties=properties, structure="cif")
    (crystal,) = TableOracle(options).materials()
    return material_id(crystal)


@settings(max_examples=12, deadline=None)
@given(text=texts())
def test_a_text_is_the_same_material_as_a_file_in_a_data_set_and_in_a_table_tier(
    text: str,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            expected = material_id(read_cif(text).structure)
        except MaterialError:
            for refused in (_from_a_file, _from_a_data_set, _from_a_table_tier):
                with pytest.raises(Exception, match=r"special positions|cannot be read|atoms"):
                    refused(text, Path(folder))
            return
        for read in (_from_a_file, _from_a_data_set, _from_a_table_tier):
            assert read(text, Path(folder)) == expected


@pytest.mark.parametrize(("x", "y"), [("0.33", "0.67"), ("0.333", "0.667"), ("0.33333", "0.66667")])
def test_coordinates_of_few_digits_lie_on_their_special_position(x: str, y: str) -> None:
    """Wyckoff position 2c of P6_3/mmc: (1/3, 2/3, 1/4) and (2/3, 1/3, 3/4), two atoms
    (International Tables for Crystallography A, No. 194).
    """
    structure = read_cif(HCP.format(x=x, y=y)).structure
    assert structure.formula == "Ni2"
    expected = [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
    np.testing.assert_allclose(structure.frac_coords, expected, atol=1e-12)


def test_too_few_digits_for_a_special_position_are_refused() -> None:
    with pytest.raises(MaterialError, match="too coarse for their special positions") as caught:
        read_cif(HCP.format(x="0.3", y="0.7"))
    assert "four digits" in caught.value.remedy


@settings(max_examples=25, deadline=None)
@given(free=st.floats(0.02, 0.48), digits=st.integers(3, 6))
def test_what_symmetry_leaves_free_stays_as_written(free: float, digits: int) -> None:
    """Wyckoff 4f of P6_3/mmc, (1/3, 2/3, z): z is the crystal's own."""
    z = round(free, digits)
    if abs(z - 0.25) < 0.1:  # 2c, and atoms that would overlap
        return
    text = HCP.format(x="0.3333", y="0.6667").replace("0.25", f"{z:.{digits}f}")
    structure = read_cif(text).structure
    assert len(structure) == 4
    assert np.abs(structure.frac_coords[:, 2] - z).min() < 1e-12


def test_coordinates_without_symmetry_are_not_rounded_to_thirds() -> None:
    coords = [[0.33334, 0.66668, 0.25], [0.66664, 0.33332, 0.75001]]
    cell = Structure(Lattice.hexagonal(2.49, 4.05), ["Ni", "Ni"], coords)
    read = read_cif(str(CifWriter(cell))).structure
    np.testing.assert_allclose(np.sort(read.frac_coords, 0), np.sort(coords, 0), atol=1e-8)


@pytest.mark.parametrize("name", ["Im-3m", "Fm-3m", "P6_3/mmc", "I4/mcm", "Pnma"])
def test_a_symmetric_file_is_the_crystal_it_was_written_from(name: str) -> None:
    lattice = {
        "Im-3m": Lattice.cubic(2.9),
        "Fm-3m": Lattice.cubic(3.6),
        "P6_3/mmc": Lattice.hexagonal(2.5, 4.1),
        "I4/mcm": Lattice.tetragonal(6.1, 4.9),
        "Pnma": Lattice.orthorhombic(5.4, 7.7, 5.3),
    }[name]
    site = {"P6_3/mmc": [1 / 3, 2 / 3, 0.25], "I4/mcm": [0.1627, 0.6627, 0]}.get(
        name, [0.0312, 0.25, 0.0111] if name == "Pnma" else [0, 0, 0]
    )
    crystal = Structure.from_spacegroup(name, lattice, ["Fe"], [site])
    for digits in (3, 4, 8):
        text = str(CifWriter(crystal, symprec=1e-3, significant_figures=digits))
        read = read_cif(text).structure
        assert len(read) == len(crystal)
        # A conventional cell may have other axes: the distances are what must agree.
        first, second = (np.sort(s.distance_matrix.ravel()) for s in (read, crystal))
        np.testing.assert_allclose(first, second, atol=8 * 10.0**-digits)


def test_a_site_of_more_than_one_atom_is_refused_and_a_shared_one_is_disordered() -> None:
    half = Structure(Lattice.cubic(3), [{"Ni": 0.5, "Fe": 0.5}], [[0] * 3])
    text = str(CifWriter(half))
    assert not read_cif(text).structure.is_ordered
    with pytest.raises(MaterialError, match=r"cannot be read as CIF.*Occupancy"):
        read_cif(text.replace("0.5\n", "0.8\n"))


def test_two_structures_in_one_text_are_refused() -> None:
    with pytest.raises(MaterialError, match="holds 2 structures"):
        read_cif(
            HCP.format(x="0.3333", y="0.6667")
            + HCP.replace("data_x", "data_y").format(x="0", y="0")
        )
