"""Processor time of commands, against that of what any such program has to import.

Each figure is a ratio: user and system time of the whole process ``alloop …``, over that of
``python -c "import typer, rich, pydantic"``, run right after it. The median of seven such pairs:
so a busy or a slow machine matters little.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from alloop.loop.run_folder import RunFolder
from benchmarks.command_line import alloop

PAIRS = 7
REFERENCE = (sys.executable, "-c", "import typer, rich, pydantic")
READY = "nifecr-bulk-modulus"
SMALL = (
    "space.atoms=16",
    "model.epochs=2",
    "model.unlabelled=32",
    "acquisition.batch=3",
    "acquisition.pool=16",
    "augmentation.iterations=1",
    "augmentation.swaps=2",
    "budget.initial=12",
    "budget.rounds=2",
    "cache=false",
)
"""The ready campaign, in a few dozen measurements by LAMMPS and three by SevenNet."""


def figures() -> dict[str, float]:
    """Return the ratios of ``--help``, ``status``, ``explain`` and ``check``."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        candidate = _launch(run)
        return {
            "help_ratio": _ratio("--help"),
            "status_ratio": _ratio("status", str(run)),
            "explain_ratio": _ratio("explain", str(run), candidate),
            "check_ratio": _ratio("check", READY),
        }


def _launch(run: Path) -> str:
    """Run the small campaign, and return its best candidate's id."""
    settings = [word for setting in SMALL for word in ("--set", setting)]
    command = alloop("launch", READY, "--run", str(run), *settings)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    best = RunFolder.read(run).state.best()
    assert best is not None, "the campaign measured something"
    return best.candidate


def _ratio(*words: str) -> float:
    command = alloop(*words)
    processor_seconds(command)  # compiles what was never imported before
    pairs = [(processor_seconds(command), processor_seconds(REFERENCE)) for _ in range(PAIRS)]
    return round(statistics.median(ours / theirs for ours, theirs in pairs), 2)


def processor_seconds(command: Sequence[str]) -> float:
    """Return the processor time of a command: user and system, with its children's."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime
