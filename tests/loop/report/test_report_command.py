"""`alloop report`: what it refuses, in words, and what it leaves as it was."""

import shutil
from pathlib import Path

from typer.testing import CliRunner

from alloop.errors import LedgerError, RunError
from alloop.loop.commands.registry import app
from alloop.loop.record.artifacts import ArtifactStore
from tests.loop.report.reading import read
from tests.loop.report.runs import written_run
from tests.loop.report.synthetic import Diary, campaign, spec_of


def refused(*words: str | Path) -> BaseException:
    done = CliRunner().invoke(app, ["report", *map(str, words)])
    assert done.exception is not None
    return done.exception


def test_a_run_copied_without_its_artifacts_is_refused(closed: Diary, tmp_path: Path) -> None:
    run = written_run(closed, tmp_path / "run")
    shutil.rmtree(run / "artifacts")
    error = refused(run)
    assert isinstance(error, LedgerError)
    assert "artifacts" in str(error)
    assert not (run / "report.html").exists()


def test_other_runs_stand_beside_and_have_to_be_comparable(closed: Diary, tmp_path: Path) -> None:
    run = written_run(closed, tmp_path / "run")
    same = campaign(spec_of(seed=8), ArtifactStore(tmp_path / "same"), rounds=1)
    other = campaign(
        spec_of(constraints=[{"property": "formation_energy_per_atom", "max": 0.05}]),
        ArtifactStore(tmp_path / "other"),
        rounds=1,
    )
    beside = written_run(same, tmp_path / "beside")
    done = CliRunner().invoke(app, ["report", str(run), "--beside", str(beside)])
    assert done.exception is None, done.output
    page = read((run / "report.html").read_text("utf-8"))
    names = [trace.get("name") for trace in page.island("figure-data")["trajectory"]["data"]]
    assert "beside" in names
    before = (run / "report.html").read_bytes()
    error = refused(run, "--beside", written_run(other, tmp_path / "unlike"))
    assert isinstance(error, RunError)
    assert "not comparable: constraints" in str(error)
    assert isinstance(refused(run, "--beside", tmp_path / "nowhere"), RunError)
    assert (run / "report.html").read_bytes() == before
