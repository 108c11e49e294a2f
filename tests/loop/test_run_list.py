"""A list of runs says where each stands, whoever runs it and whatever became of it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from alloop.loop import controller
from alloop.loop.commands.registry import app
from alloop.loop.people.changing import change
from alloop.loop.run_list import list_runs
from alloop.loop.standing import RunState, seconds_left
from tests.loop import lab
from tests.loop.alloy_table import go, hardness, spec_of
from tests.loop.observers import Silent
from tests.loop.small_campaign import ThreadPool


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)


def test_each_run_is_listed_with_what_became_of_it(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    go(runs / "b-closed", spec_of(tmp_path))
    go(runs / "c-changed", spec_of(tmp_path))
    change(runs / "c-changed", ["budget.rounds=4"], why="more")
    lab.go(runs / "a-waiting")
    (runs / "d-broken").mkdir()
    (runs / "d-broken" / "ledger.sqlite").write_text("no ledger")
    (runs / "e-nothing").mkdir()
    found = {run.path.name: run for run in list_runs(runs)}
    assert list(found) == ["a-waiting", "b-closed", "c-changed", "d-broken"]
    states = [run.state for run in found.values()]
    assert states == [RunState.WAITING, RunState.CLOSED, RunState.STOPPED, RunState.UNREADABLE]
    assert "not written by Alloop" in found["d-broken"].why
    closed = found["b-closed"]
    assert (closed.round, closed.rounds, closed.measured, closed.measurements) == (2, 2, 14, 60)
    assert closed.why == "all 2 rounds are done"
    assert closed.seconds_left == 0
    best = [hardness(x / 10, y / 10, (10 - x - y) / 10) for x in range(11) for y in range(11 - x)]
    assert closed.values is not None
    assert closed.values["hardness"] <= max(best) + 1e-8
    assert found["a-waiting"].seconds_left is None, "people take their time"


def test_the_time_left_is_what_the_rest_takes_at_the_pace_so_far(tmp_path: Path) -> None:
    run = tmp_path / "run"
    before = go(run, spec_of(tmp_path)).state
    assert seconds_left(before) == 0
    change(run, ["budget.rounds=4"], why="more")
    (listed,) = list_runs(run)
    assert listed.seconds_left == pytest.approx(before.wall_seconds * 6 / 14)


def test_a_run_that_somebody_works_on_is_running(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "one"
    script = (
        "import sys; from pathlib import Path; from alloop.loop.record.ledger import Ledger; "
        f"ledger = Ledger.open(Path({str(run)!r}), writable=True); print('held', flush=True); "
        "sys.stdin.read()"
    )
    go(run, spec_of(tmp_path))
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        (listed,) = list_runs(run.parent)
        assert listed.state is RunState.RUNNING
        holder.communicate()
    (listed,) = list_runs(run.parent)
    assert listed.state is RunState.CLOSED


def test_the_command_prints_the_list(tmp_path: Path) -> None:
    runs, shell = tmp_path / "runs", CliRunner()
    said = shell.invoke(app, ["runs", str(runs)])
    assert (said.exit_code, said.output) == (0, f"there are no runs in {runs}\n")
    go(runs / "one", spec_of(tmp_path))
    table = shell.invoke(app, ["runs", str(runs)]).output
    assert "closed" in table
    assert "14 of 60" in table
    rows = shell.invoke(app, ["runs", str(runs), "--format", "csv"]).output.splitlines()
    assert rows[0].startswith("path,state,why,name,since,round,rounds,measured,measurements,best")
    assert len(rows) == 2


def test_silence_watches(tmp_path: Path) -> None:
    """A controller of this process is no reason to call a run running."""
    run = tmp_path / "run"
    go(run, spec_of(tmp_path))
    with controller.Controller(run, None, observer=Silent()):
        (listed,) = list_runs(run)
    assert listed.state is RunState.CLOSED
