"""The last job of every flow: from the engines' documents to a few plain numbers.

What leaves a flow is plain JSON of our own, so that nobody has to decode a document of another
program to read a result.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from alloop.materials import material_to_json

KBAR = 0.1
"""GPa."""


@job
def summarise(readings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was calculated, cell by cell.

    Args:
        readings: by cell, ``structure``; ``energy`` in eV; ``stress`` in kbar, shape (3, 3),
            positive under compression; ``state``; and what else the engine knows.
    """
    return [_plain(**reading) for reading in readings]


@job
def summarise_elasticity(tensor: Any, state: Any) -> dict[str, Any]:
    """Return an elastic tensor, shape (6, 6) in GPa in the axes of the structure as given."""
    if tensor is None:
        return {"tensor": None, "state": _text(state)}
    return {"tensor": np.asarray(tensor, dtype=float).tolist(), "state": _text(state)}


def _plain(
    structure: Structure,
    energy: float | None,
    stress: Any,
    state: Any,
    moment: float | None = None,
    pseudopotentials: Any = None,
    folder: str | None = None,
) -> dict[str, Any]:
    if moment is None and folder is not None:
        moment = _moment_of_pw(Path(folder))
    return {
        "structure": material_to_json(structure),
        "energy": None if energy is None else float(energy),
        "pressure": None if stress is None else float(np.trace(np.asarray(stress)) / 3 * KBAR),
        "state": _text(state),
        "moment": None if moment is None else float(moment),
        "pseudopotentials": None
        if pseudopotentials is None
        else [str(_titel(spec)) for spec in pseudopotentials],
    }


def _titel(spec: Any) -> Any:
    return spec.get("titel") if isinstance(spec, dict) else getattr(spec, "titel", spec)


def _text(state: Any) -> str:
    return str(getattr(state, "value", state))


def _moment_of_pw(folder: Path) -> float | None:
    """Return the total moment in µB that pw.x printed last."""
    path = folder / "espresso.pwo"
    if not path.exists():
        return None
    found = [
        float(line.split("=")[1].split()[0])
        for line in path.read_text("utf-8", "replace").splitlines()
        if line.strip().startswith("total magnetization") and "Bohr mag/cell" in line
    ]
    return found[-1] if found else None
