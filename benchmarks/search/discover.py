"""`make discover`: the ready campaign `nifecr-bulk-modulus` at its ready budget, as it is and again
on one core beside a process that takes half of it.

Labels of other runs are not used.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from benchmarks.search.shares import share_of_model

CAMPAIGN = "nifecr-bulk-modulus"
BURN = "while True: pass"


def measure() -> dict[str, float]:
    """Return the seconds of a run, the best allowed bulk modulus by the first tier, GPa, how many
    the second tier has measured, and whether the slow run came to the same decisions and values.
    """
    with TemporaryDirectory() as folder:
        quick, seconds = _run(Path(folder) / "quick", ())
        cpu = min(os.sched_getaffinity(0))
        with subprocess.Popen(["taskset", "-c", str(cpu), sys.executable, "-c", BURN]) as other:
            try:
                slow, slow_seconds = _run(Path(folder) / "slow", ("taskset", "-c", str(cpu)))
            finally:
                other.kill()
        state = RunFolder.read(quick).state
        best = state.best()
        assert best is not None  # the campaign has closed with labels
        return {
            "discover_seconds": seconds,
            "discover_best_gpa": best.properties["bulk_modulus"],
            "discover_promoted": float(len(state.answers(1))),
            "discover_sevennet_minus_lammps_gpa": _difference(state),
            "discover_labels": float(len(state.answers())),
            "discover_slow_seconds": slow_seconds,
            "discover_slow_equal": float(_digest(quick) == _digest(slow)),
            "model_share_chosen_lattice": share_of_model(state),
        }


def _difference(state: CampaignState) -> float:
    """Return by how much bulk moduli of the promoted lie above those of the first tier, on average,
    GPa.
    """
    cheap = {m.candidate: m.properties["bulk_modulus"] for m in state.answers(0)}
    return mean(m.properties["bulk_modulus"] - cheap[m.candidate] for m in state.answers(1))


def _run(run: Path, before: tuple[str, ...]) -> tuple[Path, float]:
    began = time.perf_counter()
    subprocess.run(
        [*before, sys.executable, "-m", "alloop", "launch", CAMPAIGN, "--run", str(run)],
        check=True,
        env=os.environ | {"ALLOOP_CACHE": "off"},
        stdout=subprocess.DEVNULL,
    )
    return run, time.perf_counter() - began


def _digest(run: Path) -> str:
    said = subprocess.run(
        [sys.executable, "-m", "alloop", "digest", str(run)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return said.split()[0]
