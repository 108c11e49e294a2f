"""The same campaign by a real Slurm and by worker processes here: do they decide the same?

The Slurm is one node, this machine (`one_node_slurm.py`); the campaign is launched as a user does.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alloop.loop.record.verification import digest
from alloop.loop.run_folder import RunFolder
from benchmarks.doors.one_node_slurm import PARTITION, missing, one_node_slurm

SPEC: Mapping[str, Any] = {
    "name": "slurm-and-here",
    "seed": 17,
    "space": {"elements": ["Ni", "Fe", "Cr"], "lattices": ["fcc", "bcc"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"batch": 8},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    "budget": {"initial": 24, "rounds": 2, "measurements": [40]},
    "cache": False,
}
ON_SLURM = "execution={kind: slurm, profile: cluster, workers: 2}"
HERE = "execution={kind: local, workers: 2}"
LIMIT = 900.0
"""Time after which a campaign is said never to end, s."""


def measure() -> dict[str, float]:
    """Return exit codes, whether the digests are equal, and seconds of both.

    Raises:
        RuntimeError: if no Slurm can be started here.
    """
    if why := missing():
        raise RuntimeError(f"no Slurm can be started: {why}")
    # Sockets lie in it, whose paths must be short.
    with (
        tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp") as folder,
        one_node_slurm(Path(folder)) as slurm,
    ):
        settings = slurm.folder / "settings.yaml"
        jobs = {"partition": PARTITION, "memory": "2 GB", "walltime": "30 min"}
        settings.write_text(json.dumps({"profiles": {"cluster": {"slurm": jobs}}}))
        settings.chmod(0o600)
        environment = {**os.environ, **slurm.environment, "ALLOOP_SETTINGS": str(settings)}
        spec = slurm.folder / "spec.yaml"
        spec.write_text(yaml.safe_dump(dict(SPEC)))
        there = _launch(spec, slurm.folder / "there", ON_SLURM, environment)
        here = _launch(spec, slurm.folder / "here", HERE, environment)
        runs = [RunFolder.read(slurm.folder / name) for name in ("there", "here")]
        digests = {digest(run.entries) for run in runs}
        return {
            "slurm_exit_code": float(there[0]),
            "slurm_digests_equal": float(len(digests) == 1),
            "slurm_measurements": float(len(runs[0].state.answers())),
            "slurm_seconds": there[1],
            "slurm_local_exit_code": float(here[0]),
            "slurm_local_seconds": here[1],
        }


def _launch(
    spec: Path, run: Path, execution: str, environment: Mapping[str, str]
) -> tuple[int, float]:
    """Return the exit code, and the wall time in s."""
    words = ["launch", str(spec), "--run", str(run), "--set", execution]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "alloop", *words],
        env=dict(environment),
        check=False,
        stdout=subprocess.DEVNULL,
        timeout=LIMIT,
    )
    return done.returncode, time.monotonic() - began
