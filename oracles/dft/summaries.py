"""The last job of every flow: from the engines' documents to a few plain numbers.

What leaves a flow is plain JSON of our own, so that nobody has to decode a document of another
program to read a result.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jobflow import job
from pymatgen.analysis.elasticity import ElasticTensorExpansion, Strain, Stress
from pymatgen.core import Structure

from alloop.materials import material_to_json
from alloop.oracles.dft.engines.espresso_output import OUTPUT, moment_in, read_bands

GPA_PER_KBAR = 0.1
"""Gigapascals per kilobar."""

STOPPED_BY_CUSTODIAN = "Walltime reached"
"""Text by which custodian says that it told VASP to stop. To atomate2 such a relaxation is
successful, since it ended before its last step."""

LEVEL_TAGS = ("ENCUT", "GGA", "METAGGA", "ISPIN", "PREC")
"""INCAR tags that energies of one level of theory have in common."""


@job  # type: ignore[untyped-decorator]
def summarise(readings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the calculated energies, forces and stresses, cell by cell.

    Args:
        readings: by cell, ``structure``; ``energy`` in eV; ``forces`` in eV/Å, shape (n, 3);
            ``stress`` in kbar, shape (3, 3), positive under compression; ``state``; and what else
            the engine knows: ``custodian``'s corrections, ``moment_density`` in µB/Å³,
            ``band_gap`` in eV, ``pseudopotentials`` and ``incar`` as they were, the ``folder``
            where pw.x ran.

    Raises:
        TimeoutError: if a calculation was told to stop. The flow fails, and can be run again.
    """
    return [_plain_result(**reading) for reading in readings]


@job  # type: ignore[untyped-decorator]
def summarise_elasticity(
    tensor: Any, strains: Any, stresses: Any, equilibrium: Any
) -> dict[str, Any] | None:
    """Return elastic tensors, shape (6, 6) in GPa in the axes of the structure as given: fitted to
    all strains, and to the smaller and the larger ones alone.

    Args:
        tensor: fitted to all strains.
        strains: Green and Lagrange's, shape (n, 3, 3).
        stresses: second Piola-Kirchhoff stresses in GPa, shape (n, 3, 3).
        equilibrium: the stress that the relaxation has left in GPa, shape (3, 3).
    """
    if tensor is None:
        return None
    sizes = np.abs(np.array(strains, dtype=float)).max(axis=(1, 2))
    middle = (sizes.min() + sizes.max()) / 2
    parts = []
    for chosen in (np.flatnonzero(sizes <= middle), np.flatnonzero(sizes > middle)):
        expansion = ElasticTensorExpansion.from_diff_fit(
            [Strain(strains[i]) for i in chosen],
            [Stress(stresses[i]) for i in chosen],
            eq_stress=None if equilibrium is None else Stress(equilibrium),
            order=2,
        )
        parts.append(np.array(expansion[0].voigt).tolist())
    return {"tensor": np.array(tensor, dtype=float).tolist(), "parts": parts}


def _plain_result(
    structure: Structure,
    energy: float | None,
    forces: Any,
    stress: Any,
    state: Any,
    custodian: Any = None,
    moment_density: float | None = None,
    pseudopotentials: Any = None,
    incar: Any = None,
    folder: str | None = None,
    band_gap: float | None = None,
) -> dict[str, Any]:
    if STOPPED_BY_CUSTODIAN in str(custodian):
        raise TimeoutError("VASP was stopped at its time limit")
    moment = None if moment_density is None else moment_density * structure.volume
    output = None if folder is None else Path(folder) / OUTPUT
    if output is not None and output.exists():
        bands = read_bands(output)
        if bands is None:
            moment = moment_in(output.read_text("utf-8", "replace"))
        else:
            moment, band_gap = bands.moment, bands.gap
    return {
        "structure": material_to_json(structure),
        "energy": _finite(energy),
        "stress": _finite_matrix(stress),
        "force": _finite(None if forces is None else np.linalg.norm(forces, axis=1).max()),
        "state": _text(state),
        "moment": _finite(moment),
        "band_gap": _finite(band_gap),
        "identity": {}
        if incar is None
        else {
            "pseudopotentials": [_name(spec) for spec in pseudopotentials or ()],
            "tags": level_tags(incar),
        },
    }


def _finite(value: Any) -> float | None:
    """Return a finite number; None for NaN and infinities, which JSON lacks."""
    return float(value) if value is not None and np.isfinite(value) else None


def _finite_matrix(stress: Any) -> list[list[float]] | None:
    """Return a stress in GPa."""
    matrix = np.array(np.nan if stress is None else stress, dtype=float) * GPA_PER_KBAR
    return matrix.tolist() if np.isfinite(matrix).all() else None


def level_tags(incar: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags of an INCAR that say which level of theory it asks for."""
    tags = {tag: incar.get(tag) for tag in LEVEL_TAGS}
    return {tag: value.upper() if isinstance(value, str) else value for tag, value in tags.items()}


def _name(spec: Any) -> str:
    """Return the name in a POTCAR's title, such as Fe_pv in ``PAW_PBE Fe_pv 02Aug2007``."""
    title = spec.get("titel") if isinstance(spec, Mapping) else getattr(spec, "titel", spec)
    words = str(title).split()
    return words[1] if len(words) > 1 else str(title)


def _text(state: Any) -> str:
    return str(getattr(state, "value", state))
