"""A small campaign that people measure, and the people."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alloop.campaigns.load import parse_spec
from alloop.loop.controller import Controller
from alloop.loop.people.requests.table import REQUESTS
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from tests.loop.observers import Silent

SPEC: dict[str, Any] = {
    "name": "lab",
    "seed": 3,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "random", "batch": 3},
    "budget": {"initial": 4, "rounds": 2, "measurements": [50]},
    "tiers": [{"kind": "person", "properties": ["bulk_modulus"]}],
}
TWO = {
    "constraints": [{"property": "density", "max": 9.0}],
    "tiers": [{"kind": "person", "properties": ["bulk_modulus", "density"]}],
}
LEARNING = {
    "model": {"width": 8, "depth": 1, "epochs": 1, "unlabelled": 16},
    "acquisition": {"batch": 3, "pool": 8},
}


def go(run: Path, **changes: Any) -> CampaignState:
    """Launch or continue until people are asked or the campaign is closed."""
    spec = parse_spec(SPEC | changes, where="lab") if changes or not run.exists() else None
    with Controller(run, spec, observer=Silent()) as controller:
        return controller.run()


def value_of(candidate: str) -> float:
    """What the laboratory measures: the same for the same candidate, GPa."""
    return 150.0 + int(candidate[:4], 16) / 1000


def asked(run: Path) -> list[dict[str, str]]:
    """Return the rows of the sheet of requests."""
    with (run / REQUESTS).open() as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[Mapping[str, object]]) -> Path:
    """Write a sheet of results."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def fill_in(run: Path, path: Path, *, share: float = 1.0) -> Path:
    """Measure what is asked for, or a share of it, and write the sheet of results."""
    rows = asked(run)
    n = round(share * len(rows))
    return write(
        path,
        [
            row | ({"bulk_modulus": value_of(row["candidate"])} if i < n else {})
            for i, row in enumerate(rows)
        ],
    )


def state_of(run: Path) -> CampaignState:
    return RunFolder.read(run).state
