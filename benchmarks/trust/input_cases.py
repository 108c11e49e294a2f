"""Input that once gave a wrong answer, no answer or a traceback: each file made here, with what is
right about it. ``wrong_or_silent_cases`` is to be 0.
"""

import csv
import gzip
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.campaigns.load import load_spec, load_tier
from alloop.errors import AlloopError
from alloop.files.csv_table import read_csv_table
from alloop.files.parsed import ParsedStructure
from alloop.files.spreadsheet import spreadsheet_cell
from alloop.files.structure_files import read_structure
from alloop.loop.measure.measuring import measure_files
from alloop.materials import formula_of, material_id
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.potentials.catalogue import FOLDER

CASES: dict[str, Callable[[Path], None]] = {}
"""Checks by name; each makes its files in a folder and raises AssertionError where the answer is
not the right one."""

NI3CR = Structure(
    Lattice.cubic(3.55),
    ["Cr", "Ni", "Ni", "Ni"],
    [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
)
BULK_MODULUS = 188.240
"""Bulk modulus of ``NI3CR`` relaxed with NiFeCr-Wu2017, GPa."""
CIF = str(NI3CR.to(fmt="cif"))
POSCAR = str(NI3CR.to(fmt="poscar"))
HCP = """data_x
_cell_length_a 2.49
_cell_length_b 2.49
_cell_length_c 4.05
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
{symmetry}
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ni1 {x} {y} 0.25
"""
P63_MMC = "_symmetry_space_group_name_H-M 'P 63/m m c'"
ORACLE = "kind: lammps\npotential: NiFeCr-Wu2017\n"
CAMPAIGN = """name: own
space: {elements: [Ni, Fe, Cr], atoms: 16}
objectives:
  - {property: bulk_modulus, goal: maximise}
budget: {initial: 2, rounds: 0, measurements: [4]}
tiers:
  - kind: lammps
    potential:
      {name: mine, pair_style: meam, files: [library.meam, NiFeCr.meam], elements: [Ni, Cr, Fe]}
"""
SECONDS = 2.0
"""Most processor seconds of a refusal."""


def case(check: Callable[[Path], None]) -> Callable[[Path], None]:
    """Register a check under its function's name."""
    CASES[check.__name__] = check
    return check


def _read(folder: Path, name: str, content: str | bytes) -> ParsedStructure:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_structure(folder / name)


def _is_ni3cr(read: ParsedStructure) -> None:
    assert formula_of(read.structure) == "Cr1Ni3", read
    np.testing.assert_allclose(read.structure.lattice.abc, 3.55, atol=1e-6)
    np.testing.assert_allclose(
        np.sort(read.structure.distance_matrix), np.sort(NI3CR.distance_matrix), atol=1e-6
    )


def _refused(what: Callable[[], object], *words: str) -> None:
    began = time.process_time()
    try:
        found = what()
    except AlloopError as error:
        said = str(error)
    else:
        raise AssertionError(f"taken as {str(found)[:200]}")
    seconds = time.process_time() - began
    assert all(word in said for word in words), f"{said} does not say {words}"
    assert len(said) < 2000, f"{len(said)} characters"
    assert seconds < SECONDS, f"it took {seconds:.1f} s"


def _alloop(*words: str | bytes, folder: Path, **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "alloop", *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _done(process: "subprocess.Popen[bytes]") -> tuple[int, bytes, bytes]:
    out, err = process.communicate(timeout=300)
    assert b"Traceback" not in err, err[-500:].decode(errors="replace")
    return process.returncode, out, err


# --- encodings and line ends -------------------------------------------------------------------


@case
def latin1_in_a_comment(folder: Path) -> None:
    _is_ni3cr(_read(folder, "a.cif", f"# gemessen in Zürich, Å\n{CIF}".encode("latin-1")))


@case
def utf8_with_a_mark(folder: Path) -> None:
    _is_ni3cr(_read(folder, "a.cif", f"\ufeff{CIF}"))


@case
def utf16_as_windows_saves_it(folder: Path) -> None:
    _is_ni3cr(_read(folder, "a.cif", CIF.encode("utf-16")))


@case
def line_ends_of_old_macs_and_windows(folder: Path) -> None:
    for end in ("\r", "\r\n"):
        _is_ni3cr(_read(folder, "a.cif", CIF.replace("\n", end)))
        _is_ni3cr(_read(folder, "POSCAR", POSCAR.replace("\n", end)))


@case
def latin1_in_a_table_is_named(folder: Path) -> None:
    (folder / "t.csv").write_bytes("formula,k\nNi,1\nNi3Cr,2 \xe9\n".encode("latin-1"))
    _refused(lambda: read_csv_table(folder / "t.csv"), "UTF-8", "line 3")


@case
def table_of_a_spreadsheet_in_utf16(folder: Path) -> None:
    (folder / "t.csv").write_bytes("formula,k\nNi,1\n".encode("utf-16"))
    assert read_csv_table(folder / "t.csv").rows[0].cells == {"formula": "Ni", "k": "1"}


@case
def separators_of_unicode_end_no_row(folder: Path) -> None:
    (folder / "t.csv").write_text("name,k\na\u2028b\x85c\x0cd,1\n", "utf-8")
    (row,) = read_csv_table(folder / "t.csv").rows
    assert row.cells["k"] == "1", row


@case
def semicolons_are_named(folder: Path) -> None:
    (folder / "t.csv").write_text("formula;k\nNi;187,6\n")
    _refused(lambda: read_csv_table(folder / "t.csv"), "';'", "commas")


@case
def compressed_files(folder: Path) -> None:
    _is_ni3cr(_read(folder, "a.cif.gz", gzip.compress(CIF.encode())))
    _is_ni3cr(_read(folder, "POSCAR.gz", gzip.compress(POSCAR.encode())))


# --- what a format says ------------------------------------------------------------------------


@case
def coarse_coordinates_of_a_special_position(folder: Path) -> None:
    for x, y in (("0.33", "0.67"), ("0.333", "0.667"), ("0.3333", "0.6667")):
        read = _read(folder, "a.cif", HCP.format(symmetry=P63_MMC, x=x, y=y))
        assert len(read.structure) == 2, (x, y, read)


@case
def labels_in_extended_xyz(folder: Path) -> None:
    rows = "\n".join(
        f"{s.specie} {' '.join(f'{c:.6f}' for c in s.coords)} 0.1" for s in NI3CR.sites
    )
    for label in (
        'stress="0.01 0.01 0.01 0 0 0"',
        'stress="1 2 3"',
        "energy=nan",
        'virial="x y z"',
        "config_type={a b}",
        "forces=[1, 2",
    ):
        text = (
            '4\nLattice="3.55 0 0 0 3.55 0 0 0 3.55" '
            f"Properties=species:S:1:pos:R:3:charge:R:1 {label}\n{rows}\n"
        )
        _is_ni3cr(_read(folder, "a.xyz", text))


@case
def selective_dynamics_are_said_to_be_left_out(folder: Path) -> None:
    rows = "".join(f"{' '.join(map(str, site.frac_coords))} F F T\n" for site in NI3CR)
    head = "x\n3.55\n1 0 0\n0 1 0\n0 0 1\nCr Ni\n1 3\nSelective dynamics\nDirect\n"
    read = _read(folder, "POSCAR", head + rows)
    _is_ni3cr(read)
    assert any("selective dynamics" in remark for remark in read.remarks), read.remarks


@case
def volume_in_place_of_a_factor(folder: Path) -> None:
    text = "x\n-44.738875\n1 0 0\n0 1 0\n0 0 1\nCr Ni\n1 3\nCartesian\n"
    _is_ni3cr(_read(folder, "POSCAR", text + "0 0 0\n0 .5 .5\n.5 0 .5\n.5 .5 0\n"))


@case
def names_and_numbers_of_atoms_that_do_not_agree(folder: Path) -> None:
    text = "x\n1\n3 0 0\n0 3 0\n0 0 3\nNi Fe\n2\nDirect\n0 0 0\n.5 .5 .5\n"
    _refused(lambda: _read(folder, "POSCAR", text), "2 elements", "1 numbers")


@case
def isotopes_are_said_to_be_left_out(folder: Path) -> None:
    read = _read(folder, "a.xyz", '1\nLattice="3 0 0 0 3 0 0 0 3"\nD 0 0 0\n')
    assert formula_of(read.structure) == "H1", read
    assert any("isotopes" in remark for remark in read.remarks), read.remarks


@case
def unreadable_operations_are_not_p1(folder: Path) -> None:
    symmetry = "loop_\n_space_group_symop_operation_xyz\nx,y,z\n-x,-y,z+1/2&\n?"
    text = HCP.format(symmetry=symmetry, x="0.3333", y="0.6667")
    _refused(lambda: _read(folder, "a.cif", text), "symmetry")


@case
def unknown_group_is_not_p1(folder: Path) -> None:
    symmetry = "_symmetry_space_group_name_H-M 'P 6x/m m c'"
    text = HCP.format(symmetry=symmetry, x="0.3333", y="0.6667")
    _refused(lambda: _read(folder, "a.cif", text), "P6x/mmc", "P1")


@case
def group_with_two_origins_is_not_guessed(folder: Path) -> None:
    cubic = HCP.replace("120", "90").replace("2.49", "3.57").replace("4.05", "3.57")
    text = cubic.format(symmetry="_symmetry_space_group_name_H-M 'F d -3 m'", x="0", y="0")
    _refused(lambda: _read(folder, "a.cif", text.replace("0.25", "0")), "origin")


@case
def block_that_cannot_be_read_is_not_passed_over(folder: Path) -> None:
    broken = HCP.format(symmetry=P63_MMC, x="0.3333", y="?")
    _refused(lambda: _read(folder, "a.cif", f"{CIF}\n{broken}"), "cannot be read")


@case
def water_without_hydrogen(folder: Path) -> None:
    text = HCP.format(symmetry="", x="0", y="0").replace("Ni1", "Wat1")
    _refused(lambda: _read(folder, "a.cif", text), "hydrogen")


@case
def noble_gases_in_any_order_are_one_material(folder: Path) -> None:
    rows = [("He", "0 0 0"), ("Ni", "0.5 0.5 0"), ("Ar", "0.5 0 0.5"), ("Cr", "0 0.5 0.5")]
    head = HCP.format(symmetry="", x="0", y="0").rpartition("Ni1")[0].replace("120", "90")
    ids = set()
    for seed in range(6):
        random.Random(seed).shuffle(rows)
        text = head + "".join(f"{el}{i} {xyz}\n" for i, (el, xyz) in enumerate(rows))
        ids.add(material_id(_read(folder, "a.cif", text).structure))
    assert len(ids) == 1, ids


@case
def every_reader_takes_a_cif_for_the_same_material(folder: Path) -> None:
    from alloop.models.crystal_table import read_crystal_table  # noqa: PLC0415
    from alloop.oracles.table.options import TableOptions  # noqa: PLC0415
    from alloop.oracles.table.oracle import TableOracle  # noqa: PLC0415

    text = HCP.format(symmetry=P63_MMC, x="0.333", y="0.667")
    with (folder / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["cif", "k"], [text, "1"]])
    options = TableOptions(file=folder / "t.csv", properties={"bulk_modulus": "k"}, structure="cif")
    ids = {
        material_id(_read(folder, "a.cif", text).structure),
        material_id(TableOracle(options).materials()[0]),
        material_id(read_crystal_table(folder / "t.csv", {}).data.materials[0]),
    }
    assert len(ids) == 1, ids


@case
def numbers_of_other_scripts_and_with_underscores(folder: Path) -> None:
    from alloop.files.csv_table import number_in  # noqa: PLC0415

    for text in ("1_000", "١٢", "0x10", "1,5", "inf"):
        (folder / "t.csv").write_text(f'k\n"{text}"\n', "utf-8")
        (row,) = read_csv_table(folder / "t.csv").rows
        _refused(lambda row=row: number_in(row, "k"), "finite number")  # type: ignore[misc]


# --- bounds ------------------------------------------------------------------------------------


@case
def poscar_of_hundreds_of_millions_of_atoms(folder: Path) -> None:
    text = "x\n1\n3 0 0\n0 3 0\n0 0 3\nNi\n300000000\nDirect\n0 0 0\n"
    _refused(lambda: _read(folder, "POSCAR", text), "300,000,000")


@case
def xyz_of_a_billion_columns(folder: Path) -> None:
    head = 'Lattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3:f:R:1000000000'
    _refused(lambda: _read(folder, "a.xyz", f"1\n{head}\nNi 0 0 0\n"), "columns")
    _refused(lambda: _read(folder, "a.xyz", f"1000000000\n{head}\nNi 0 0 0\n"), "atoms")


@case
def cif_of_hundreds_of_thousands_of_operations(folder: Path) -> None:
    symmetry = "loop_\n_symmetry_equiv_pos_as_xyz\n" + "x,y,z\n" * 200_000
    text = HCP.format(symmetry=symmetry, x="0", y="0")
    _refused(lambda: _read(folder, "a.cif", text), "operations")


@case
def file_that_unpacks_to_gigabytes(folder: Path) -> None:
    _refused(lambda: _read(folder, "a.cif.gz", gzip.compress(bytes(200_000_000))), "bytes")


@case
def files_without_end(folder: Path) -> None:
    os.mkfifo(folder / "pipe.cif")
    (folder / "zero.cif").symlink_to("/dev/zero")
    for name in ("pipe.cif", "zero.cif"):
        _refused(lambda name=name: read_structure(folder / name), "no file")  # type: ignore[misc]
        _refused(lambda name=name: load_tier(folder / name), "no file")  # type: ignore[misc]
        _refused(lambda name=name: read_csv_table(folder / name), "no file")  # type: ignore[misc]


@case
def potential_without_end(folder: Path) -> None:
    from alloop.oracles.lammps.potentials.catalogue import find_potential  # noqa: PLC0415

    text = ORACLE.replace(
        "NiFeCr-Wu2017",
        "{name: a, pair_style: eam/alloy, files: [/dev/zero], elements: [Ni]}",
    )
    (folder / "o.yaml").write_text(text)
    options = load_tier(folder / "o.yaml")
    assert isinstance(options, LammpsOptions)
    _refused(lambda: find_potential(options.potential), "no file")


@case
def yaml_that_swells(folder: Path) -> None:
    aliases = "\n".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12))
    for text, word in (
        (f"a0: &a0 [1]\n{aliases}\n", "aliases"),
        ("a: &a [*a]\n", "itself"),
        ("".join(f"key{i}: 1\n" for i in range(20_000)), "20,000"),
        ("[" * 100_000, "nested"),
        ("- " * 100_000, "nested"),
        (f"seed: {'9' * 5000}\n", "digits"),
        ("name: 2026-02-30\n", "day"),
        ("x" * 1_000_000, "bytes"),
    ):
        (folder / "s.yaml").write_text(text)
        _refused(lambda: load_spec(folder / "s.yaml"), word)


@case
def tables_too_wide_and_too_long(folder: Path) -> None:
    wide = ",".join(f"c{i}" for i in range(20_000))
    long = "k\n" + "1\n" * 1_000_000
    commas = "k\n" + "," * 50_000_000
    for text, word in ((wide, "columns"), (long, "rows"), (commas, "commas")):
        (folder / "t.csv").write_text(text)
        _refused(lambda: read_csv_table(folder / "t.csv"), word)


@case
def numbers_that_are_none_in_a_spec(folder: Path) -> None:
    (folder / "s.yaml").write_text(CAMPAIGN.replace("maximise", "window, window: [.nan, .inf]"))
    _refused(lambda: load_spec(folder / "s.yaml"))
    (folder / "s.yaml").write_text(CAMPAIGN)
    _refused(lambda: load_spec(folder / "s.yaml", ["budget.wall_time=.inf"]))


# --- names, terminals, pipes, spreadsheets -----------------------------------------------------


def _measured(folder: Path, *files: str | bytes, **environment: str) -> tuple[int, bytes, bytes]:
    (folder / "o.yaml").write_text(ORACLE)
    (folder / "a.cif").write_text(CIF)
    words = ("measure", "--oracle", "o.yaml", *(files or ("a.cif",)))
    return _done(_alloop(*words, folder=folder, **environment))


@case
def name_that_is_not_utf8(folder: Path) -> None:
    name = b"caf\xe9.cif"
    with suppress(OSError):  # some file systems have no such names
        (folder / os.fsdecode(name)).write_text(CIF)
        strict = {"PYTHONIOENCODING": "utf-8:strict"}
        for format in ("table", "json", "csv"):
            code, out, _ = _measured(folder, name, "--format", format, **strict)
            assert (code, b"188.24" in out) == (0, True), out


@case
def terminal_that_is_not_utf8(folder: Path) -> None:
    for encoding in ("latin-1", "ascii", "cp437"):
        code, out, _ = _measured(folder, PYTHONIOENCODING=encoding)
        assert (code, b"188.24" in out) == (0, True), out


@case
def pipe_that_nobody_reads(folder: Path) -> None:
    (folder / "o.yaml").write_text(ORACLE)
    (folder / "a.cif").write_text(CIF)
    process = _alloop("measure", "a.cif", "--oracle", "o.yaml", folder=folder)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(300) == 0, err
    assert b"Traceback" not in err, err


@case
def output_to_a_full_disk(folder: Path) -> None:
    (folder / "o.yaml").write_text(ORACLE)
    (folder / "a.cif").write_text(CIF)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "alloop", "measure", "a.cif", "--oracle", "o.yaml"],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 74, done
    (kept,) = folder.glob("alloop-*.json")
    assert '"bulk_modulus": 188.24' in kept.read_text()


@case
def names_that_a_terminal_or_spreadsheet_would_obey(folder: Path) -> None:
    names = ("=cmd|'x'!A1.cif", "\x1b[2J.cif", "[red]a.cif", "-1+1.cif", "a\u202eb.cif")
    for name in names:
        (folder / name).write_text(CIF)
    code, out, err = _measured(folder, "--format", "csv", "--", *names)
    assert code == 0, err
    assert sum(b"188.24" in line for line in out.splitlines()) == len(names), out
    assert b"\x1b" not in out + err
    assert "\u202e".encode() not in out
    for text, quoted in (("=1+1", True), ("-1.5", False), (" @x", True), ("\t=1", True)):
        assert spreadsheet_cell(text).startswith("'") is quoted, text


@case
def potential_under_a_path_that_is_not_ascii(folder: Path) -> None:
    place = folder / "Übergangsmetalle ü$x"
    place.mkdir()
    for name in ("library.meam", "NiFeCr.meam"):
        (place / name).write_bytes((FOLDER / "NiFeCr-Wu2017" / name).read_bytes())
    own = "{name: a, pair_style: meam, files: [library.meam, NiFeCr.meam], elements: [Ni, Cr, Fe]}"
    (place / "o.yaml").write_text(ORACLE.replace("NiFeCr-Wu2017", own))
    (folder / "a.cif").write_text(CIF)
    (found,) = measure_files([folder / "a.cif"], load_tier(place / "o.yaml"))
    assert abs(found.measurement.properties["bulk_modulus"] - BULK_MODULUS) < 1e-3, found


@case
def run_moved_with_its_potential(folder: Path) -> None:
    here, there = folder / "here", folder / "there"
    here.mkdir()
    for name in ("library.meam", "NiFeCr.meam"):
        (here / name).write_bytes((FOLDER / "NiFeCr-Wu2017" / name).read_bytes())
    (here / "own.yaml").write_text(CAMPAIGN)
    assert _done(_alloop("launch", "own.yaml", folder=here))[0] == 0
    here.rename(there)
    for words in (("resume", "runs/own"), ("launch", "own.yaml")):
        code, _, err = _done(_alloop(*words, folder=there))
        assert code == 0, err
    (there / "library.meam").write_text("another")
    code, _, err = _done(_alloop("resume", "runs/own", folder=there))
    assert code == 2, err


def measure() -> dict[str, Any]:
    """Return how many cases there are and how many of them are wrong, which are printed."""
    wrong = []
    for name, check in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(Path(folder))
            except Exception:  # what is being counted
                wrong.append(name)
                print(f"{name}: {traceback.format_exc(limit=-2)}", flush=True)
    return {"cases": len(CASES), "wrong_or_silent_cases": len(wrong)}


if __name__ == "__main__":
    print(measure())
