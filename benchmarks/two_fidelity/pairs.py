"""Cells measured by a lower and by a higher tier: what the two-fidelity surrogates are compared on.

Random 16-atom cells of Ni, Fe and Cr, fcc and bcc. LAMMPS measures all; CHGNet, a learned
potential trained on DFT, some: half of them drawn at random, half the stiffest by LAMMPS, since
both kinds are promoted by a campaign.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from alloop.campaigns.load import parse_spec
from alloop.loop.choose.random_candidates import random_materials
from alloop.materials import material_from_json, material_to_json
from alloop.oracles.base import Oracle, Status

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
    low_fidelity: dict[str, float]
    high_fidelity: dict[str, float] | None
    """High-fidelity values; None where only the lower tier measured."""


def read_or_measure(path: Path, *, n_cheap: int = 160, n_dear: int = 48) -> list[Row]:
    """Return the rows in a file, measured first as far as they are not there yet."""
    rows = [Row(**row) for row in json.loads(path.read_text("utf-8"))] if path.exists() else []
    spec = parse_spec(SPEC, where="benchmark")
    low_fidelity, high_fidelity = spec.build_oracles()
    if not rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = [material_to_json(m) for m in random_materials(spec.space, 20261120, n_cheap)]
        measured = [(material, _values(low_fidelity, material)) for material in drawn]
        rows = [Row(material, values, None) for material, values in measured if values]
    stiffest = sorted(range(len(rows)), key=lambda i: -rows[i].low_fidelity["bulk_modulus"])
    chosen = list(dict.fromkeys((*range(n_dear // 2), *stiffest)))[:n_dear]
    for i in chosen:
        if rows[i].high_fidelity is None:
            rows[i] = Row(
                rows[i].material, rows[i].low_fidelity, _values(high_fidelity, rows[i].material)
            )
            path.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    return rows


def _values(oracle: Oracle, material: dict[str, object]) -> dict[str, float] | None:
    found = oracle.measure(material_from_json(material))
    if found.status is not Status.OK:
        return None
    return {name: found.properties[name] for name in (*PROPERTIES, "volume_per_atom")}
