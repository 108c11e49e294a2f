"""What is measured where; what hangs is retried or cancelled while the rest goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import psutil
import pytest
from distributed import LocalCluster
from typer.testing import CliRunner, Result

from alloop import Campaign
from alloop.errors import DataError
from alloop.loop.commands.registry import app
from alloop.loop.measure.holder import Holder, read_holder
from alloop.loop.record.events import AttemptFailed, Measured
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from alloop.loop.standing import RunState
from alloop.oracles.base import FailureKind, Status
from tests.end_to_end import drive_slow
from tests.loop import lab
from tests.loop.hanging import Hanging, hung
from tests.loop.small_campaign import run_campaign, spec_of

LIMIT = 120.0
HERE: Mapping[str, object] = {"workers": 2}


def alloop(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def hangs(
    run: Path, calls: Path, attempts: int = 1, execution: Mapping[str, object] = HERE
) -> Iterator[str]:
    """Run a campaign of six measurements of which one hangs; five are done when this yields its
    candidate. Wait for the end of the campaign then."""
    spec = spec_of(attempts=attempts, execution=dict(execution))
    controller = Thread(target=run_campaign, args=(run, spec, Hanging(calls)))
    controller.start()
    try:
        until(lambda: hung(calls) and len(RunFolder.read(run).state.recorded) == 5)
        yield hung(calls)
    finally:
        controller.join(LIMIT)
    assert not controller.is_alive()


def test_i_see_what_is_measured_where_and_have_what_hangs_begun_anew(tmp_path: Path) -> None:
    run, calls = tmp_path / "run", tmp_path / "calls"
    with hangs(run, calls) as candidate:
        (job,) = json.loads(alloop("jobs", run, "--format", "json").output)
        assert (job["candidate"], job["state"]) == (candidate, "running")
        assert (job["attempt"], job["attempts"], job["tier"]) == (1, 1, 0)
        process = int(job["where"].split()[1])
        assert psutil.Process(process).is_running()
        assert 0 < job["seconds"] < LIMIT
        table = alloop("jobs", run).output
        assert candidate[:12] in table
        assert "1 of 1" in table
        said = alloop("jobs", run, "--retry", candidate[:8], "--why", "its node hangs")
        assert said.exit_code == 0, said.output
        assert f"{candidate[:12]} (process {process} on " in said.output
        assert "is begun anew, by " in said.output
        assert said.output.rstrip().endswith(": its node hangs")
    folder = RunFolder.read(run)
    (failed,) = [e.event for e in folder.entries if isinstance(e.event, AttemptFailed)]
    assert failed.failure_kind is FailureKind.CANCELLED
    assert failed.failure_message.startswith("begun anew by ")
    assert failed.failure_message.endswith(": its node hangs")
    assert failed.wall_seconds > 0  # what it took is paid
    # The tier makes one attempt by itself; this one was asked for.
    assert folder.state.measured[failed.evaluation].status is Status.OK
    assert not psutil.pid_exists(process)
    assert len(folder.state.answers()) == 6
    assert verify(run, head=folder.head).ok
    assert alloop("jobs", run).output == "nothing is measured, and nothing waits\n"


def test_i_cancel_what_hangs_and_the_campaign_goes_on_without_it(tmp_path: Path) -> None:
    run, calls = tmp_path / "run", tmp_path / "calls"
    with hangs(run, calls, attempts=3) as candidate:
        campaign = Campaign.open(run, who="Ada")
        assert list(campaign.jobs()["candidate"]) == [candidate]
        with pytest.raises(DataError, match="nothing with an id that begins with"):
            campaign.cancel_job("fffffffffffff", why="no")
        campaign.cancel_job(candidate, why="it has run for a week")
    state = RunFolder.read(run).state
    (measured,) = [m for m in state.measured.values() if m.status is Status.FAILED]
    assert (measured.candidate, measured.failure_kind) == (candidate, FailureKind.CANCELLED)
    assert measured.failure_message == "cancelled by Ada: it has run for a week"
    assert not measured.is_infeasible  # it says nothing about the material
    assert len(state.answers()) == 5
    assert state.closed is not None
    assert campaign.jobs().empty


def test_i_see_and_cancel_what_a_dask_scheduler_measures(
    tmp_path: Path, settings_of: Callable[[object], Path]
) -> None:
    run, calls = tmp_path / "run", tmp_path / "calls"
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        settings_of({"office": {"dask": {"address": cluster.scheduler_address}}})
        execution = {"kind": "dask", "profile": "office", "workers": 2}
        with hangs(run, calls, execution=execution) as candidate:
            (job,) = json.loads(alloop("jobs", run, "--format", "json").output)
            assert (job["candidate"], job["state"]) == (candidate, "running")
            process = psutil.Process(int(job["where"].split()[1]))
            assert {p.pid for p in process.parents()} & {
                worker.pid for worker in cluster.workers.values()
            }, "it runs in a worker of the scheduler"
            said = alloop("jobs", run, "--cancel", candidate[:8], "--why", "it hangs")
            assert said.exit_code == 0, said.output
        assert cluster.status.name == "running"
    state = RunFolder.read(run).state
    (measured,) = [m for m in state.measured.values() if m.status is Status.FAILED]
    assert measured.failure_kind is FailureKind.CANCELLED
    assert len(state.answers()) == 5


@contextmanager
def slow_controller(tmp_path: Path, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Start a controller in a process of its own; yield once something is measured."""
    words = [str(tmp_path / "run"), str(tmp_path / "calls"), str(seconds)]
    command = [sys.executable, "-m", "tests.end_to_end.drive_slow", *words]
    with subprocess.Popen([*command, json.dumps(drive_slow.HERE)]) as controller:
        try:
            until((tmp_path / "calls").exists)
            yield controller
        finally:
            controller.kill()


def test_status_says_running_stalled_and_killed_and_since_when(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with slow_controller(tmp_path, 0.5) as controller:
        until(lambda: len(RunFolder.read(run).state.recorded) >= 2)
        said = alloop("status", run, "--format", "json").output
        standing = json.loads(said)["standing"]
        assert standing["state"] == "running"
        assert standing["since"] == RunFolder.read(run).state.session_began
        assert standing["done_at"] > standing["since"]
        table = alloop("status", run).output
        assert "running" in table
        assert "time left" in table
        controller.send_signal(signal.SIGSTOP)
        until(lambda: Campaign.open(run).standing.state is RunState.STALLED)
        said = alloop("status", run).output
        assert f"stalled: its controller (process {controller.pid}) is suspended" in " ".join(
            said.replace("│", " ").split()
        )
    standing = Campaign.open(run).standing
    assert standing.state is RunState.KILLED
    assert standing.since == RunFolder.read(run).state.latest
    assert standing.done_at() is None  # nobody works on it
    assert "killed" in alloop("runs", tmp_path).output


def test_i_cancel_what_waits_in_a_run_that_was_killed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with slow_controller(tmp_path, 0.2):
        until(lambda: len(RunFolder.read(run).state.recorded) >= 2)
    until(lambda: not (Campaign.open(run).jobs()["state"] == "running").any())
    waiting = Campaign.open(run).jobs().query("state == 'waiting'")["candidate"].iloc[-1]
    begun = alloop("jobs", run, "--retry", waiting, "--why", "now")
    assert begun.exit_code != 0
    assert isinstance(begun.exception, DataError)
    assert "has not begun yet" in str(begun.exception)
    assert alloop("jobs", run, "--cancel", waiting, "--why", "too dear").exit_code == 0
    again = alloop("jobs", run, "--cancel", waiting, "--why", "too dear")
    assert "is over" in str(again.exception)
    drive_slow.launch(run, tmp_path / "calls", 0.0, drive_slow.HERE)
    (failed,) = [
        e.event
        for e in RunFolder.read(run).entries
        if isinstance(e.event, Measured) and e.event.failure_kind is not None
    ]
    assert failed.candidate == waiting
    assert (failed.calls, failed.wall_seconds) == (0, 0.0)  # nobody had begun it
    assert waiting not in (tmp_path / "calls").read_text().split()


def test_what_people_measure_is_listed_and_not_ended_here(tmp_path: Path) -> None:
    run = tmp_path / "run"
    lab.go(run)
    jobs = Campaign.open(run).jobs()
    assert set(jobs["state"]) == {"people"}
    with pytest.raises(DataError, match="is measured by people"):
        Campaign.open(run).cancel_job(jobs["candidate"][0], why="no")
    assert Campaign.open(run).standing.state is RunState.WAITING


def test_a_reason_is_needed_and_one_thing_is_done_at_a_time(tmp_path: Path) -> None:
    run = tmp_path / "run"
    lab.go(run)
    assert "needs a reason" in str(alloop("jobs", run, "--cancel", "1").exception)
    both = alloop("jobs", run, "--cancel", "1", "--retry", "2", "--why", "x")
    assert "--cancel and --retry were both given" in str(both.exception)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"host": 1}', b"x" * 10_000])
def test_a_lock_with_anything_else_in_it_names_nobody(tmp_path: Path, content: bytes) -> None:
    import fcntl  # noqa: PLC0415

    path = tmp_path / "e.lock"
    path.write_bytes(content)
    assert read_holder(path) is None
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert read_holder(path) is None
        path.write_bytes(Holder.here().to_bytes())
        found = read_holder(path)
        assert found is not None
        assert found.pid == os.getpid()
        path.write_bytes(found.waiting_for("jobflow-remote flow 1b4e").to_bytes())
        waiting = read_holder(path)
        assert waiting is not None
        assert waiting.where == f"jobflow-remote flow 1b4e, {found.where}"
    assert read_holder(path) is None  # who held it has gone
    assert read_holder(tmp_path / "none.lock") is None
