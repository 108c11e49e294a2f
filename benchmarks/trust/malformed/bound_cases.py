"""Files that would take gigabytes or hours, which are refused within two seconds."""

import gzip
import os
from pathlib import Path

from alloop.campaigns.load import load_spec, load_tier
from alloop.files.csv_table import read_csv_table
from alloop.files.structure_files import read_structure
from alloop.oracles.lammps.options import LammpsOptions
from benchmarks.trust.malformed.case import (
    CAMPAIGN,
    HCP,
    ORACLE,
    case,
    read_content,
    require_refusal,
)


@case
def poscar_of_hundreds_of_millions_of_atoms(folder: Path) -> None:
    text = "x\n1\n3 0 0\n0 3 0\n0 0 3\nNi\n300000000\nDirect\n0 0 0\n"
    require_refusal(lambda: read_content(folder, "POSCAR", text), "300,000,000")


@case
def xyz_of_a_billion_columns(folder: Path) -> None:
    head = 'Lattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3:f:R:1000000000'
    require_refusal(lambda: read_content(folder, "a.xyz", f"1\n{head}\nNi 0 0 0\n"), "columns")
    require_refusal(
        lambda: read_content(folder, "a.xyz", f"1000000000\n{head}\nNi 0 0 0\n"), "atoms"
    )


@case
def cif_of_hundreds_of_thousands_of_operations(folder: Path) -> None:
    symmetry = "loop_\n_symmetry_equiv_pos_as_xyz\n" + "x,y,z\n" * 200_000
    text = HCP.format(symmetry=symmetry, x="0", y="0")
    require_refusal(lambda: read_content(folder, "a.cif", text), "operations")


@case
def file_that_unpacks_to_gigabytes(folder: Path) -> None:
    require_refusal(
        lambda: read_content(folder, "a.cif.gz", gzip.compress(bytes(200_000_000))), "bytes"
    )


@case
def files_without_end(folder: Path) -> None:
    os.mkfifo(folder / "pipe.cif")
    (folder / "zero.cif").symlink_to("/dev/zero")
    for name in ("pipe.cif", "zero.cif"):
        require_refusal(lambda name=name: read_structure(folder / name), "no file")  # type: ignore[misc]
        require_refusal(lambda name=name: load_tier(folder / name), "no file")  # type: ignore[misc]
        require_refusal(lambda name=name: read_csv_table(folder / name), "no file")  # type: ignore[misc]


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
    require_refusal(lambda: find_potential(options.potential), "no file")


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
        require_refusal(lambda: load_spec(folder / "s.yaml"), word)


@case
def tables_too_wide_and_too_long(folder: Path) -> None:
    wide = ",".join(f"c{i}" for i in range(20_000))
    long = "k\n" + "1\n" * 1_000_000
    commas = "k\n" + "," * 50_000_000
    for text, word in ((wide, "columns"), (long, "rows"), (commas, "commas")):
        (folder / "t.csv").write_text(text)
        require_refusal(lambda: read_csv_table(folder / "t.csv"), word)


@case
def numbers_that_are_none_in_a_spec(folder: Path) -> None:
    (folder / "s.yaml").write_text(CAMPAIGN.replace("maximise", "window, window: [.nan, .inf]"))
    require_refusal(lambda: load_spec(folder / "s.yaml"))
    (folder / "s.yaml").write_text(CAMPAIGN)
    require_refusal(lambda: load_spec(folder / "s.yaml", ["budget.wall_time=.inf"]))
