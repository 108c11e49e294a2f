"""Names, terminals, pipes, disks and moved runs, through the command line."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from alloop.campaigns.load import load_tier
from alloop.files.spreadsheet import spreadsheet_cell
from alloop.loop.measure.measuring import measure_files
from alloop.oracles.lammps.potentials.catalogue import FOLDER
from benchmarks.trust.malformed.case import BULK_MODULUS, CAMPAIGN, CIF, ORACLE, alloop, case, done


def _measured(folder: Path, *files: str | bytes, **environment: str) -> tuple[int, bytes, bytes]:
    (folder / "o.yaml").write_text(ORACLE)
    (folder / "a.cif").write_text(CIF)
    words = ("measure", "--oracle", "o.yaml", *(files or ("a.cif",)))
    return done(alloop(*words, folder=folder, **environment))


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
    process = alloop("measure", "a.cif", "--oracle", "o.yaml", folder=folder)
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
    assert done(alloop("launch", "own.yaml", folder=here))[0] == 0
    here.rename(there)
    for words in (("resume", "runs/own"), ("launch", "own.yaml")):
        code, _, err = done(alloop(*words, folder=there))
        assert code == 0, err
    (there / "library.meam").write_text("another")
    code, _, err = done(alloop("resume", "runs/own", folder=there))
    assert code == 2, err
