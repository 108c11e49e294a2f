"""Files of others: one structure, or the reason why not."""

import os
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.io import write
from pymatgen.core import Lattice, Structure

from alloop.errors import MaterialError
from alloop.files.structure_files import read_structure
from alloop.materials import material_id

NI3CR = Structure(
    Lattice.cubic(3.52),
    ["Cr", "Ni", "Ni", "Ni"],
    [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
)


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.cif", "cif"), ("POSCAR", "poscar"), ("CONTCAR.1", "poscar"), ("a.vasp", "poscar")],
)
def test_what_pymatgen_wrote_is_read_again(tmp_path: Path, name: str, format: str) -> None:
    path = tmp_path / name
    path.write_text(NI3CR.to(fmt=format))
    read = read_structure(path).structure
    assert read.composition == NI3CR.composition
    np.testing.assert_allclose(read.distance_matrix, NI3CR.distance_matrix, atol=1e-6)


@pytest.mark.parametrize("name", ["a.xyz", "a.extxyz"])
def test_what_ase_wrote_is_read_again(tmp_path: Path, name: str) -> None:
    atoms = bulk("NiAl", "cesiumchloride", a=2.88)
    write(tmp_path / name, atoms, format="extxyz")
    read = read_structure(tmp_path / name).structure
    assert sorted(read.symbol_set) == ["Al", "Ni"]
    np.testing.assert_allclose(read.lattice.matrix, atoms.cell)
    assert all(read.lattice.pbc)


def test_a_disordered_crystal_is_read_as_one(tmp_path: Path) -> None:
    alloy = Structure(Lattice.cubic(3.52), [{"Ni": 0.5, "Cr": 0.5}], [[0, 0, 0]])
    (tmp_path / "a.cif").write_text(alloy.to(fmt="cif"))
    assert not read_structure(tmp_path / "a.cif").structure.is_ordered


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.cif", "", "cannot be read as CIF"),
        ("a.cif", "data_x\n_cell_length_a 3.5\n", "cannot be read as CIF"),
        ("a.cif", "\x00\x01\x02", "cannot be read as CIF"),
        ("POSCAR", "Ni\n1.0\n3 0 0\n", "cannot be read as POSCAR"),
        ("POSCAR", "x\n1.0\n3 0 0\n0 3 0\n0 0 3\n1\nDirect\n0 0 0\n", "does not name its elements"),
        ("a.xyz", "1\n\nNi 0 0 0\n", "not periodic"),
        ("a.xyz", "many\n\n", "cannot be read as extended XYZ"),
        ("a.xyz", "", "holds 0 structures"),
        ("a.pdb", "ATOM", "has no known format.*CIF"),
        ("a.cif", b"\xff\xfe\x00", "it is no text"),
        ("a.cif", None, "cannot be read .No such file"),
    ],
)
def test_what_is_no_structure_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: str | bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(MaterialError, match=says) as caught:
        read_structure(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_comment_in_latin_1_and_line_ends_do_not_matter(tmp_path: Path, line_end: str) -> None:
    text = NI3CR.to(fmt="cif")
    (tmp_path / "plain.cif").write_text(text)
    latin = f"# gemessen von Müller, a = 3.52 Å\n{text}".replace("\n", line_end).encode("latin-1")
    (tmp_path / "latin.cif").write_bytes(latin)
    plain, read = (read_structure(tmp_path / name).structure for name in ("plain.cif", "latin.cif"))
    assert material_id(read) == material_id(plain)


def test_a_molecule_and_a_trajectory_are_no_crystal(tmp_path: Path) -> None:
    write(tmp_path / "water.xyz", molecule("H2O"), format="extxyz")
    with pytest.raises(MaterialError, match="not periodic"):
        read_structure(tmp_path / "water.xyz")
    write(tmp_path / "two.xyz", [bulk("Ni"), bulk("Fe")], format="extxyz")
    with pytest.raises(MaterialError, match="holds 2 structures"):
        read_structure(tmp_path / "two.xyz")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.cif")
    with pytest.raises(MaterialError, match="it is no file"):
        read_structure(tmp_path / "a.cif")


def test_what_the_parser_finds_odd_is_passed_on(tmp_path: Path) -> None:
    text = NI3CR.to(fmt="cif").replace("0.50000000", "0.5000", 1).replace("Ni3 Cr1", "Ni2 Cr1")
    (tmp_path / "a.cif").write_text(text.replace("'Cr1 Ni3'", "'Cr1 Ni2'"))
    assert any("ratio" in remark for remark in read_structure(tmp_path / "a.cif").remarks)
