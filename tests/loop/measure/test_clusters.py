"""Workers from elsewhere: a scheduler that runs already, and Slurm jobs as they would be sent."""

import json
import shlex
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from dask.utils import parse_timedelta
from distributed import KilledWorker, LocalCluster
from distributed.cli.dask_worker import main as worker_command
from pydantic import ValidationError
from typer.testing import CliRunner

from alloop.campaigns.execution import OF_SLURM_JOBS, DaskExecution, SlurmExecution
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import MissingSoftware, RunError, SettingsError
from alloop.loop.commands.registry import app
from alloop.loop.measure import clusters
from alloop.loop.measure.clusters import connect
from alloop.loop.measure.dispatch import Task, measure_all
from alloop.loop.measure.execution import MeasuringPool
from alloop.loop.measure.slurm import slurm_cluster
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import Cost, FailureKind, Measurement
from alloop.settings.profiles import Profile, SlurmSettings
from tests.loop.flaky import Flaky, calls_of, moments_of
from tests.loop.misbehaving import Honest, alloy
from tests.loop.small_campaign import run_campaign, spec_of
from tests.loop.spooled import spool_in

WriteSettings = Callable[[object], Path]


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:
        yield cluster


def test_whatever_the_settings_say_of_jobs_is_refused_in_a_campaign() -> None:
    assert set(OF_SLURM_JOBS) == set(SlurmSettings.model_fields)


def test_a_running_scheduler_measures_and_is_left_as_it_was(
    cluster: LocalCluster, tmp_path: Path, settings_of: WriteSettings
) -> None:
    settings_of({"default": {"dask": {"address": cluster.scheduler_address}}})
    options = DaskExecution(kind="dask", workers=2)
    calls = tmp_path / "calls"
    names = [set(worker.plugins) for worker in cluster.workers.values()]
    with MeasuringPool([Honest(calls)], [30.0], options, spool_in(tmp_path / "spool")) as pool:
        shares = [0.1, 0.2, 0.3, 0.4]
        futures = [pool.submit(f"e{i}", 0, alloy(share)) for i, share in enumerate(shares)]
        assert all(future.result(60).failure is None for future in futures)
    assert len(calls.read_text().split()) == 4
    # The scheduler goes on; what the pool had put onto its workers is gone.
    assert cluster.status.name == "running"
    assert [set(worker.plugins) for worker in cluster.workers.values()] == names


def test_two_campaigns_share_a_scheduler(
    cluster: LocalCluster, tmp_path: Path, settings_of: WriteSettings
) -> None:
    settings_of({"default": {"dask": {"address": cluster.scheduler_address}}})
    options = DaskExecution(kind="dask", workers=2)
    first, second = Honest(tmp_path / "first"), Honest(tmp_path / "second")
    with (
        MeasuringPool([first], [30.0], options, spool_in(tmp_path / "a")) as one,
        MeasuringPool([second], [30.0], options, spool_in(tmp_path / "b")) as other,
    ):
        answers = [one.submit("e", 0, alloy(0.2)), other.submit("e", 0, alloy(0.3))]
        assert all(answer.result(60).failure is None for answer in answers)
    assert len((tmp_path / "first").read_text().split()) == 1
    assert len((tmp_path / "second").read_text().split()) == 1


def test_limits_and_second_attempts_hold_on_a_scheduler_too(
    cluster: LocalCluster, run: Path, tmp_path: Path, settings_of: WriteSettings
) -> None:
    calls = tmp_path / "calls"
    settings_of({"here": {"dask": {"address": cluster.scheduler_address}}})
    execution = {"kind": "dask", "profile": "here", "workers": 2}
    oracle = Flaky(calls, every=3, deaths=1, seconds=0.05)
    state = run_campaign(run, spec_of(workers=1, attempts=2, execution=execution), oracle)
    bad = [e.candidate for e in state.evaluations if oracle.is_bad(e.candidate)]
    assert bad
    assert len(state.answers()) == 6
    assert sorted(calls_of(calls)) == sorted([e.candidate for e in state.evaluations] + bad)
    moments = sorted(moments_of(calls))
    assert all(began >= ended for (_, ended), (began, _) in pairwise(moments))


@pytest.mark.parametrize(
    "execution",
    [{"kind": "slurm", "workers": 4}, {"kind": "dask", "profile": "cluster"}],
)
def test_a_run_may_move_to_a_cluster(execution: dict[str, object]) -> None:
    here, there = spec_of(), spec_of(attempts=4, workers=2, execution=execution)
    assert here.with_scheduling(there.scheduling()) == there


class Lossy:
    """A pool whose workers go down with their machines, or whose scheduler does."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def submit(self, id: str, tier: int, payload: str) -> Future[Measurement]:
        future: Future[Measurement] = Future()
        future.set_exception(self.error)
        return future

    def watch(self) -> None:
        pass

    def lost(self, tier: int, why: str) -> Measurement:
        kind = FailureKind.WORKER_DIED
        return Measurement.failed(kind, why, oracle="x", fingerprint="f", cost=Cost(calls=1))


def test_workers_that_go_down_with_a_measurement_are_the_machine_s_failure() -> None:
    pool = cast(MeasuringPool, Lossy(KilledWorker("task", cast(Any, None), 3)))
    ((_, answer),) = measure_all(pool, deque([Task("e", 0, str)]), limits=[1])
    assert answer.failure is not None
    assert answer.failure.retryable
    assert answer.failure.message == "4 workers were lost with it"


def test_a_scheduler_that_goes_away_is_said_in_one_line() -> None:
    pool = cast(MeasuringPool, Lossy(CancelledError()))
    with pytest.raises(RunError, match="the scheduler has lost"):
        list(measure_all(pool, deque([Task("e", 0, str)]), limits=[1]))


def test_a_scheduler_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, settings_of: WriteSettings, tmp_path: Path
) -> None:
    monkeypatch.setattr(clusters, "CONNECT_TIMEOUT", 0.5)
    settings_of({"default": {"dask": {"address": "tcp://127.0.0.1:1"}}})
    with pytest.raises(RunError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        connect(DaskExecution(kind="dask"), spool_in(tmp_path))


def test_a_scheduler_that_the_settings_do_not_name_is_not_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Write profiles\.default\.dask\.address into "):
        connect(DaskExecution(kind="dask"), spool_in(tmp_path))
    with pytest.raises(SettingsError, match=r"no profile 'cluster'; there are none"):
        connect(SlurmExecution(kind="slurm", profile="cluster"), spool_in(tmp_path))


def test_a_slurm_job_asks_for_what_the_options_say(tmp_path: Path) -> None:
    slurm = SlurmSettings(
        cores=4,
        memory="3 GB",
        walltime=timedelta(minutes=90),
        partition="batch",
        account="alloys",
        directives={"constraint": "avx512", "exclusive": True},
    )
    profile = Profile(slurm=slurm, environment={"LABEL": "it's $HOME"})
    cluster = slurm_cluster(profile, name="alloop", folder=tmp_path, quiet={})
    script = cluster.job_script()
    cluster.close()
    lines = script.splitlines()
    for line in (
        "#SBATCH -J alloop",
        "#SBATCH -p batch",
        "#SBATCH -A alloys",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --mem=3G",
        "#SBATCH -t 01:30:00",
        "#SBATCH --constraint=avx512",
        "#SBATCH --exclusive",
        """export LABEL='it'"'"'s $HOME'""",
    ):
        assert line in lines
    command = lines[-1] or lines[-2]
    python, *words = shlex.split(command)
    assert (python, words[:2]) == (sys.executable, ["-m", "distributed.cli.dask_worker"])
    # As the worker itself reads its command line; what it does not know, it refuses.
    given = worker_command.make_context("dask worker", words[2:]).params
    assert (given["nthreads"], given["nanny"]) == (1, False)
    # It stops taking work two minutes before Slurm ends it.
    assert parse_timedelta(given["lifetime"]) == 5280
    # Nobody else on the network can give it work.
    assert given["scheduler"].startswith("tls://")
    assert given["tls_key"].startswith(str(tmp_path))
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_slurm_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    spec = tmp_path / "spec.yaml"
    spec.write_text(json.dumps(_spec({"kind": "slurm"})))
    for words in (["check", spec], ["launch", spec, "--run", tmp_path / "run"]):
        said = CliRunner().invoke(app, [*map(str, words)]).exception
        assert isinstance(said, MissingSoftware)
        assert said.where == "execution.kind"
        assert "there is no Slurm here (no command sbatch)" in said.what
        assert "--set execution.kind=local" in said.remedy
    with pytest.raises(RunError, match="no campaign has begun here"):
        RunFolder.read(tmp_path / "run")


def test_a_path_that_no_job_script_can_hold_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "my runs"
    with pytest.raises(RunError, match="a character that a Slurm job script cannot hold"):
        slurm_cluster(Profile(), name="alloop", folder=folder, quiet={})


def test_dask_jobqueue_must_be_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(MissingSoftware, match=r"pip install 'alloop\[slurm\]'"):
        slurm_cluster(Profile(), name="alloop", folder=tmp_path, quiet={})


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "slurm", "partition": "batch\n#SBATCH --wrap=x"},
        {"kind": "slurm", "directives": ["--wrap=a b"]},
        {"kind": "slurm", "directives": ["--comment=x\nrm -r ."]},
        {"kind": "slurm", "account": "$(id)"},
        {"kind": "slurm", "memory": "much"},
        {"kind": "slurm", "prologue": ["module load x"]},
        {"kind": "slurm", "partition": "batch"},
        {"kind": "slurm", "directives": ["--constraint=avx512"]},
        {"kind": "slurm", "walltime": "2 h"},
        {"kind": "slurm", "profile": "a b"},
        {"kind": "dask", "address": "somewhere"},
        {"kind": "dask", "address": "tcp://10.0.0.1:8786"},
        {"kind": "local", "address": "tcp://10.0.0.1:8786"},
        {"kind": "kubernetes"},
    ],
)
def test_a_campaign_cannot_smuggle_commands_into_jobs(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CampaignSpec.model_validate(_spec(settings))


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "local"),
        ({"workers": 3}, "local"),
        ({"kind": "slurm", "profile": "cluster"}, "slurm"),
        ({"kind": "dask", "workers": 16}, "dask"),
    ],
)
def test_a_campaign_says_where_it_runs(settings: dict[str, object], kind: str) -> None:
    spec = CampaignSpec.model_validate(_spec(settings))
    assert spec.execution.kind == kind
    assert CampaignSpec.model_validate(spec.model_dump(mode="json")) == spec


def _spec(execution: dict[str, object]) -> dict[str, object]:
    return {
        "name": "test",
        "space": {"elements": ["Ni", "Fe"]},
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
        "execution": execution,
    }
