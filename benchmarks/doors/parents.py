"""Campaigns on parent lattices of every kind."""

import tempfile
import time
from pathlib import Path
from typing import Any

from alloop.campaigns.load import parse_spec
from alloop.errors import AlloopError
from alloop.loop.controller import Controller
from alloop.loop.run_folder import RunFolder
from benchmarks.doors.parent_spaces import PARENT_SPACES, parent_campaign
from tests.loop.observers import Silent

FEWEST = 4
"""Number of labels of a campaign that counts as run."""


def measure() -> dict[str, float]:
    """Return the number of parents that a campaign ran on, and each one's seconds."""
    figures: dict[str, float] = {}
    for name in PARENT_SPACES:
        figures |= parent_figures(name)
    ended = [figures[f"parent_run_{_key(name)}"] for name in PARENT_SPACES]
    return {"parents_run": sum(ended), **figures}


def parent_figures(name: str) -> dict[str, float]:
    """Return whether a campaign on a parent came to its end with labels, and its seconds."""
    began = time.perf_counter()
    try:
        answers = energies_of(parent_campaign(name))
    except AlloopError as error:
        print(f"{name}: {error}", flush=True)
        answers = []
    key = _key(name)
    return {
        f"parent_run_{key}": float(len(answers) >= FEWEST),
        f"parent_seconds_{key}": time.perf_counter() - began,
    }


def energies_of(spec: dict[str, Any]) -> list[float]:
    """Return the energies in eV/atom that a campaign measured, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with Controller(run, parse_spec(spec, where="parents"), observer=Silent()) as controller:
            controller.run()
        state = RunFolder.read(run).state
    return [answer.properties["energy_per_atom"] for answer in state.answers()]


def _key(name: str) -> str:
    return name.replace("-", "_").lower()
