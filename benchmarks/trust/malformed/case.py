"""Cases of input: their registry, the files that they are made from, and what they require."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.errors import AlloopError
from alloop.files.parsed import ParsedStructure
from alloop.files.structure_files import read_structure
from alloop.materials import formula_of

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


def read_content(folder: Path, name: str, content: str | bytes) -> ParsedStructure:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_structure(folder / name)


def require_ni3cr(read: ParsedStructure) -> None:
    assert formula_of(read.structure) == "Cr1Ni3", read
    np.testing.assert_allclose(read.structure.lattice.abc, 3.55, atol=1e-6)
    np.testing.assert_allclose(
        np.sort(read.structure.distance_matrix), np.sort(NI3CR.distance_matrix), atol=1e-6
    )


def require_refusal(what: Callable[[], object], *words: str) -> None:
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


def alloop(*words: str | bytes, folder: Path, **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "alloop", *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def done(process: "subprocess.Popen[bytes]") -> tuple[int, bytes, bytes]:
    out, err = process.communicate(timeout=300)
    assert b"Traceback" not in err, err[-500:].decode(errors="replace")
    return process.returncode, out, err
