"""A small campaign with a known answer whose measurements take their time, for Slurm to interfere.

`python -m tests.end_to_end.drive_slow RUN CALLS SECONDS EXECUTION` launches or continues it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from alloop.campaigns.load import parse_spec
from alloop.loop.controller import Controller
from tests.end_to_end.counting_oracle import CountingOracle
from tests.loop.observers import Silent

ON_SLURM = {"kind": "slurm", "profile": "cluster", "workers": 2}
HERE = {"kind": "local", "workers": 2}
SPEC = {
    "name": "slow",
    "seed": 3,
    "space": {"elements": ["Ni", "Fe", "Cr"], "lattices": ["fcc"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "model": {"width": 8, "depth": 1, "epochs": 2, "unlabelled": 32},
    "acquisition": {"batch": 3, "pool": 16},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    "budget": {"initial": 12, "rounds": 1, "measurements": [15]},
}


def launch(run: Path, calls: Path, seconds: float, execution: Mapping[str, object]) -> None:
    """Launch the campaign, or continue it, to its end."""
    spec = parse_spec(SPEC | {"execution": dict(execution)}, where="slow")
    oracle = CountingOracle(calls, seconds=seconds)
    with Controller(run, spec, build_oracles=lambda _: [oracle], observer=Silent()) as controller:
        controller.run()


if __name__ == "__main__":
    run, calls, seconds, execution = sys.argv[1:]
    launch(Path(run), Path(calls), float(seconds), json.loads(execution))
