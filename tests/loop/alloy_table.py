"""A small campaign over a table of alloys: quick, and every value is known beforehand."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.controller import Controller
from alloop.loop.run_folder import RunFolder
from tests.loop.observers import Silent

ELEMENTS = ("Ni", "Fe", "Cr")
SPEC: dict[str, Any] = {
    "name": "alloys",
    "seed": 11,
    "space": {"kind": "compositions", "elements": list(ELEMENTS)},
    "properties": {"hardness": {"unit": "GPa"}, "price": {"unit": "USD/kg"}},
    "objectives": [{"property": "hardness", "goal": "maximise"}],
    "acquisition": {"strategy": "surrogate-bo", "candidates": "table", "batch": 3},
    "budget": {"initial": 8, "rounds": 2, "measurements": [60]},
    "cache": False,
}


def hardness(ni: float, fe: float, cr: float) -> float:
    """Return a smooth function of the fractions, GPa."""
    return 5 + 4 * cr * ni + 3 * fe * cr - 2 * (fe - 0.3) ** 2


def price(ni: float, fe: float, cr: float) -> float:
    """Return a price of the fractions, USD/kg."""
    return 14 * ni + 0.5 * fe + 9 * cr


def write_table(folder: Path) -> Path:
    """Write all alloys of whole tenths."""
    path = folder / "alloys.csv"
    rows = ["Ni,Fe,Cr,hardness,price"]
    for ni, fe in product(range(11), repeat=2):
        if ni + fe <= 10:
            x = (ni / 10, fe / 10, (10 - ni - fe) / 10)
            rows.append(",".join(f"{value:.9g}" for value in (*x, hardness(*x), price(*x))))
    path.write_text("\n".join(rows) + "\n")
    return path


def spec_of(folder: Path, changes: Mapping[str, Any] | None = None) -> CampaignSpec:
    """Return the campaign over the table in a folder."""
    table = folder / "alloys.csv"
    tier = {
        "kind": "table",
        "file": str(table if table.exists() else write_table(folder)),
        "properties": {"hardness": "hardness", "price": "price"},
    }
    return parse_spec(SPEC | {"tiers": [tier]} | dict(changes or {}), where="alloys")


def go(run: Path, spec: CampaignSpec | None = None) -> RunFolder:
    """Run or continue a campaign to its end."""
    with Controller(run, spec, observer=Silent()) as controller:
        controller.run()
    return RunFolder.read(run)
