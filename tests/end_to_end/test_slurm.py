"""A campaign on a real Slurm: launched, jobs ended and cancelled, its controller killed, resumed.

The Slurm is one node, this machine, started by the tests in a folder of its own (Debian's packages
`slurm-wlm` and `munge`, and root). What is measured counts its calls.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from alloop.loop.record.events import Measured
from alloop.loop.record.verification import digest, verify
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import FailureKind
from benchmarks.doors.one_node_slurm import (
    PARTITION,
    OneNodeSlurm,
    missing,
    one_node_slurm,
    wait_until,
)
from tests.end_to_end.drive_slow import HERE, ON_SLURM, launch

pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed (extra: slurm)")
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(missing()), reason=f"no Slurm can be started: {missing()}"),
]

LIMIT = 240.0
SPEC = {
    "name": "on-slurm",
    "seed": 3,
    "space": {"elements": ["Ni", "Fe", "Cr"], "lattices": ["fcc"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "model": {"epochs": 2, "unlabelled": 32},
    "acquisition": {"batch": 3, "pool": 16},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    "budget": {"initial": 6, "rounds": 1, "measurements": [9]},
}
Started = subprocess.Popen[str]


@pytest.fixture(scope="module")
def slurm() -> Iterator[OneNodeSlurm]:
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # sockets need a short path
    with one_node_slurm(folder) as running:
        yield running
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _reached(
    slurm: OneNodeSlurm,
    settings_of: Callable[[object], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)
    job = {"partition": PARTITION, "memory": "1 GB", "walltime": "10 min"}
    settings_of({"cluster": {"slurm": job}, "short": {"slurm": job | {"walltime": "1 min"}}})
    yield
    slurm.set_partition("UP")
    wait_until(lambda: not slurm.squeue(), "no job is left behind")


def test_a_campaign_on_slurm_decides_as_it_does_here(tmp_path: Path, slurm: OneNodeSlurm) -> None:
    execution = {"kind": "slurm", "profile": "cluster", "workers": 2}
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(SPEC | {"execution": execution}))
    there, here = tmp_path / "there", tmp_path / "here"
    alloop("check", spec)
    alloop("launch", spec, "--run", there)
    assert len(RunFolder.read(there).state.answers()) == 9
    alloop("launch", spec, "--run", here, "--set", "execution={kind: local, workers: 1}")
    assert digest(RunFolder.read(there).entries) == digest(RunFolder.read(here).entries)
    # Jobs wrote beside the run and not where it was launched; nobody can read their certificate.
    assert {log.suffix for log in (there / "spool" / "slurm").iterdir()} == {".err", ".out"}


def test_cancelled_jobs_are_replaced(tmp_path: Path, slurm: OneNodeSlurm) -> None:
    controller = launched(tmp_path, ON_SLURM, seconds=1.5)
    wait_until(lambda: len(slurm.running()) == 2, "two jobs run")
    wait_until(lambda: bool(calls(tmp_path)), "something is measured")
    first = slurm.running()[0]
    slurm.set_partition("DOWN")
    slurm.scancel(first)
    wait_until(lambda: bool(slurm.squeue("--states=PENDING")), "another job waits in its place")
    (waiting,) = slurm.squeue("--states=PENDING")
    slurm.scancel(waiting)  # before its worker came: nobody tells Dask
    wait_until(lambda: slurm.squeue("--states=PENDING") not in ([], [waiting]), "yet another waits")
    slurm.set_partition("UP")
    finish(controller)
    assert slurm.state_of(first) == "CANCELLED"
    as_here(tmp_path, at_most_again=1)


def test_a_worker_leaves_before_the_walltime_of_its_job(
    tmp_path: Path, slurm: OneNodeSlurm
) -> None:
    controller = launched(tmp_path, ON_SLURM | {"profile": "short", "workers": 1}, seconds=5.0)
    wait_until(lambda: bool(slurm.running()), "a job runs")
    (first,) = slurm.running()
    wait_until(lambda: slurm.has_ended(first), "the job has ended")
    wait_until(lambda: bool(slurm.running()), "another one runs")
    finish(controller)
    assert slurm.state_of(first) != "TIMEOUT"
    as_here(tmp_path, at_most_again=0)  # what it measured, it finished


def test_a_job_that_slurm_ends_at_its_walltime_is_replaced(
    tmp_path: Path, slurm: OneNodeSlurm
) -> None:
    controller = launched(tmp_path, ON_SLURM | {"workers": 1}, seconds=9.0)
    wait_until(lambda: bool(slurm.running()), "a job runs")
    (first,) = slurm.running()
    slurm.limit(first, minutes=1)
    finish(controller)
    assert slurm.state_of(first) == "TIMEOUT"
    as_here(tmp_path, at_most_again=1)


def test_a_controller_that_was_killed_is_resumed(tmp_path: Path, slurm: OneNodeSlurm) -> None:
    controller = launched(tmp_path, ON_SLURM, seconds=4.0)
    wait_until(lambda: len(calls(tmp_path)) > 2, "measurements are under way")
    left = slurm.squeue()
    controller.kill()
    controller.communicate()
    wait_until(lambda: all(map(slurm.has_ended, left)), "its jobs have ended by themselves")
    state = RunFolder.read(tmp_path / "run").state
    assert state.closed is None
    finish(launched(tmp_path, ON_SLURM, seconds=4.0))
    as_here(tmp_path, at_most_again=0)  # what the jobs were measuring, they finished


def test_alloop_jobs_lists_slurm_jobs_and_ends_what_one_measures(
    tmp_path: Path, slurm: OneNodeSlurm
) -> None:
    controller = launched(tmp_path, ON_SLURM | {"workers": 1}, seconds=20.0)
    wait_until(lambda: bool(calls(tmp_path)), "something is measured")
    run = tmp_path / "run"
    (job,) = slurm.running()
    rows = json.loads(alloop("jobs", run, "--format", "json"))
    (running,) = [row for row in rows if row["state"] == "running"]
    assert running["where"].startswith(f"Slurm job {job} on ")
    assert {row["state"] for row in rows} == {"running", "waiting"}
    assert f"Slurm job {job}: running" in alloop("jobs", run)
    id = running["candidate"][:12]
    said = alloop("jobs", run, "--cancel", id, "--why", "too dear")
    assert "is cancelled, by" in said

    def recorded() -> list[Measured]:
        return [*RunFolder.read(run).state.recorded.values()]

    wait_until(lambda: bool(recorded()), "the controller records it")
    assert recorded()[0].failure_kind is FailureKind.CANCELLED
    assert slurm.running() == [job], "the job goes on with the next"
    controller.kill()
    controller.communicate()


def test_jobs_that_cannot_start_are_said_in_words(tmp_path: Path, settings_of) -> None:
    spec = tmp_path / "spec.yaml"
    execution = {"kind": "slurm", "profile": "cluster", "workers": 2}
    spec.write_text(yaml.safe_dump(SPEC | {"execution": execution}))
    settings_of({"cluster": {"slurm": {"partition": "gold"}}})
    said = alloop("launch", spec, "--run", tmp_path / "gold", exit_code=2)
    assert "Slurm takes no such jobs" in said
    assert "invalid partition specified: gold" in said
    assert "profiles.cluster.slurm" in said
    # A job that ends at once, time after time, does not go round for ever.
    broken = {"partition": PARTITION, "memory": "1 GB"}
    environment = {"PYTHONHOME": "/nowhere"}
    settings_of({"cluster": {"slurm": broken, "environment": environment}})
    said = alloop("launch", spec, "--run", tmp_path / "broken", exit_code=2)
    assert "ended before their workers came; the last one said:" in said
    assert "No module named 'encodings'" in said
    # The run is as it was, and goes on once that is corrected.
    settings_of({"cluster": {"slurm": broken}})
    alloop("resume", tmp_path / "broken")


def launched(folder: Path, execution: object, *, seconds: float) -> Started:
    """Start a controller, in a process of its own."""
    words = [sys.executable, "-m", "tests.end_to_end.drive_slow", str(folder / "run")]
    words += [str(folder / "calls"), str(seconds), json.dumps(execution)]
    return subprocess.Popen(words, env=os.environ.copy(), text=True, stderr=subprocess.PIPE)


def finish(controller: Started) -> None:
    _, said = controller.communicate(timeout=LIMIT)
    assert controller.returncode == 0, said


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    return path.read_text().split() if path.exists() else []


def as_here(folder: Path, *, at_most_again: int) -> None:
    """Compare with the same campaign run here; so many measurements at most were begun twice."""
    launch(folder / "here", folder / "here-calls", 0.0, HERE)
    here, there = RunFolder.read(folder / "here"), RunFolder.read(folder / "run")
    assert digest(there.entries) == digest(here.entries)
    assert verify(folder / "run", head=there.head).ok
    counts = Counter(calls(folder))
    assert set(counts) == {e.candidate for e in there.state.evaluations}
    assert sum(counts.values()) - len(counts) <= at_most_again


def alloop(*words: object, exit_code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "alloop", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == exit_code, said
    return said
