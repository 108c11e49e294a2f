"""Cells measured by a cheap and by a dear tier: what the two-fidelity surrogates are compared on.

Random 16-atom cells of Ni, Fe and Cr, fcc and bcc. LAMMPS measures all; CHGNet, a learned
potential trained on DFT, some: half of them drawn at random, half the stiffest by LAMMPS, since
both kinds are promoted by a campaign.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from alloop.materials import material_from_json, material_to_json
from campaigns.load import parse_spec
from loop.building import build_oracles
from loop.random_candidates import random_materials
from oracles.base import Oracle, Status

SPEC = {
    "name": "two-fidelity",
    "space": {
        "elements": ["Ni", "Fe", "Cr"],
        "atoms": 16,
        "fractions": {el: [0.1, 0.6] for el in ("Ni", "Fe", "Cr")},
    },
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "formation_energy_per_atom", "max": 0.08}],
    "budget": {"initial": 160, "measurements": [160, 48]},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "dft", "engine": "chgnet", "promote": 48},
    ],
}
PROPERTIES = ("bulk_modulus", "formation_energy_per_atom")


@dataclass(frozen=True)
class Row:
    """A cell and what was measured of it."""

    material: dict[str, object]
    """Plain JSON."""
    cheap: dict[str, float]
    dear: dict[str, float] | None
    """None where only the cheap tier was asked."""


def read_or_measure(path: Path, *, n_cheap: int = 160, n_dear: int = 48) -> list[Row]:
    """Return the rows in a file, measured and written there first if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [asdict(row) for row in measure(n_cheap, n_dear)]
        path.write_text(json.dumps(rows), encoding="utf-8")
    return [Row(**row) for row in json.loads(path.read_text("utf-8"))]


def measure(n_cheap: int, n_dear: int) -> list[Row]:
    """Measure cells by both tiers; those that fail are left out."""
    spec = parse_spec(SPEC, where="benchmark")
    cheap, dear = build_oracles(spec)
    rows: list[Row] = []
    for material in random_materials(spec.space, 20261120, n_cheap):
        values = _values(cheap, material_to_json(material))
        if values is not None:
            rows.append(Row(material_to_json(material), values, None))
    stiffest = sorted(range(len(rows)), key=lambda i: -rows[i].cheap["bulk_modulus"])
    chosen = dict.fromkeys((*range(n_dear // 2), *stiffest))
    for i in list(chosen)[:n_dear]:
        values = _values(dear, rows[i].material)
        print(f"{rows[i].cheap} {values}", flush=True)
        rows[i] = Row(rows[i].material, rows[i].cheap, values)
    return rows


def _values(oracle: Oracle, material: dict[str, object]) -> dict[str, float] | None:
    found = oracle.measure(material_from_json(material))
    if found.status is not Status.OK:
        return None
    return {name: found.properties[name] for name in (*PROPERTIES, "volume_per_atom")}
