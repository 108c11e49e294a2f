"""The published way to a label: one LAMMPS process per structure, and the 12 strains of in.elastic.

After LAMMPS's examples/elastic: relax the cell, apply ± each of six strains, minimise, and take
the differences of the stress. The relaxation is isotropic first, as the AlloGen paper has it, and
then anisotropic, as in.elastic begins.
"""

import os
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.simulation.cell import LammpsCell
from alloop.oracles.lammps.simulation.runtime import MPI_LIBRARY, lammps_files

STRAIN = 1e-6
"""in.elastic's, and the paper's."""
MINIMIZE = "minimize 0.0 1.0e-10 1000 10000"
"""in.elastic has 100 iterations, with which 54-atom alloys do not converge to 0.001 GPa."""

_COMPONENTS = ("pxx", "pyy", "pzz", "pyz", "pxz", "pxy")
_EDGES = ("x", "y", "z", "yz", "xz", "xy")
_LENGTHS = ("lx", "ly", "lz", "lz", "lz", "ly")
_GPA_PER_BAR = 1e-4


def published_tensor(structure: Structure, potential: Potential) -> NDArray[np.float64]:
    """Return the elastic constants of a rectangular cell in GPa, in LAMMPS's axes, shape (6, 6).

    Raises:
        subprocess.CalledProcessError: if LAMMPS fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "data").write_text(_data(structure, potential), encoding="utf-8")
        Path(folder, "in").write_text("\n".join(_script(potential)) + "\n", encoding="utf-8")
        done = subprocess.run(
            [_executable(), "-in", "in", "-log", "none", "-nocite"],
            cwd=folder,
            env=os.environ | {"LD_LIBRARY_PATH": str(_mpi_folder()), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
    found = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("stress:")]
    start, *strained = np.array(found, dtype=float) * _GPA_PER_BAR
    # Minus, since a pressure is minus a stress; the mean of both signs, as in.elastic prints it.
    pairs = zip(strained[::2], strained[1::2], strict=True)
    columns = [((low - start) - (high - start)) / (2 * STRAIN) for low, high in pairs]
    return np.array(columns).T


def bulk_modulus(constants: NDArray[np.float64]) -> float:
    """Return Voigt's average of the constants, GPa."""
    return float(constants[:3, :3].sum() / 9)


def _script(potential: Potential) -> list[str]:
    settings = [
        *potential.commands(),
        "neighbor 1.0 nsq",
        "neigh_modify once no every 1 delay 0 check yes",
        "min_style cg",
        "min_modify dmax 0.01 line quadratic",
        "thermo_style custom step pe pxx pyy pzz pyz pxz pxy",
        "thermo 0",
    ]
    stress = 'print "stress: ' + " ".join(f"$({name}:%.12g)" for name in _COMPONENTS) + '"'
    lines = [
        "units metal",
        "atom_style atomic",
        "boundary p p p",
        "box tilt large",
        "read_data data",
        *settings,
        "fix cell all box/relax iso 0.0",
        MINIMIZE,
        "unfix cell",
        "fix cell all box/relax aniso 0.0",
        MINIMIZE,
        "unfix cell",
        MINIMIZE,
        stress,
        *(f"variable {name}0 equal $({name}:%.15g)" for name in ("lx", "ly", "lz")),
        "write_restart relaxed",
    ]
    for edge, length in zip(_EDGES, _LENGTHS, strict=True):
        for sign in (-1, 1):
            lines += [
                "clear",
                "box tilt large",
                "read_restart relaxed",
                *settings,
                f"variable change equal {sign * STRAIN!r}*${{{length}0}}",
                _stretch(edge),
                MINIMIZE,
                stress,
            ]
    return lines


def _stretch(edge: str) -> str:
    moved = f"{edge} delta 0 ${{change}}" if len(edge) == 1 else f"{edge} delta ${{change}}"
    return f"change_box all {moved} remap units box"


def _data(structure: Structure, potential: Potential) -> str:
    cell = LammpsCell.of(structure)
    if not cell.is_orthogonal:
        raise ValueError("the published procedure is for rectangular cells")
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = cell.box.tolist()
    types = [potential.type_of(site.specie.symbol) for site in structure]
    return "\n".join(
        [
            "a crystal",
            "",
            f"{len(structure)} atoms",
            f"{len(potential.elements)} atom types",
            f"0 {lx!r} xlo xhi",
            f"0 {ly!r} ylo yhi",
            f"0 {lz!r} zlo zhi",
            f"{xy!r} {xz!r} {yz!r} xy xz yz",
            "",
            "Atoms # atomic",
            "",
            *(
                f"{i} {kind} {x!r} {y!r} {z!r}"
                for i, (kind, (x, y, z)) in enumerate(
                    zip(types, cell.positions.tolist(), strict=True), start=1
                )
            ),
            "",
        ]
    )


def _executable() -> str:
    """Return the program itself; the command of its name starts Python first."""
    return next(str(f.locate()) for f in lammps_files() if str(f) == "lammps/lmp")


def _mpi_folder() -> Path:
    files = metadata.files("mpich") or []
    library = next(Path(str(f.locate())) for f in files if f.name == MPI_LIBRARY)
    return library.resolve().parent
