"""jobflow-remote's own JobController and job runner, on a Mongo database in memory."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("jobflow_remote", reason="jobflow-remote is not installed (extra: remote)")

from jobflow import Flow, job

from alloop.oracles.base import FailureKind, Status
from alloop.oracles.dft import oracle as oracle_module
from alloop.oracles.dft.failure import FlowFailed, failure_of
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.oracles.dft.remote import SUBMISSION_GRACE_PERIOD, RemoteManager
from alloop.oracles.elsewhere import told_to
from alloop.settings.profiles import Profile

sys.path.insert(0, str(Path(__file__).parent))
from cluster import SETTINGS, Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


@job
def answer() -> dict:
    return {"answer": 42}


@job
def fail() -> None:
    raise TimeoutError("VASP was stopped at its time limit")


def flow_of(work) -> Flow:
    return Flow([work], output=work.output)


def test_a_lost_controller_s_job_is_collected_by_the_next(cluster):
    assert cluster.manager().submit("one", flow_of(answer()))
    # The controller is gone; the cluster goes on.
    assert cluster.work() == 1
    told: list[str] = []
    with told_to(told.append):
        collected = cluster.manager().run("one", flow_of(answer()))
    flow = cluster.controller().flows.find_one({})
    assert told == [f"jobflow-remote flow {flow['uuid']}"]
    assert collected.document == {"answer": 42}
    assert not collected.is_new
    assert cluster.work() == 0


def test_a_live_job_is_not_submitted_again(cluster):
    assert cluster.manager().submit("one", flow_of(answer()))
    assert not cluster.manager().submit("one", flow_of(answer()))
    assert cluster.work() == 1


def test_a_job_that_never_arrived_is_submitted_again(cluster):
    """The submitter died between recording the flow and its jobs."""
    cluster.manager().submit("one", flow_of(answer()))
    controller = cluster.controller()
    controller.jobs.delete_many({})
    assert not cluster.manager().submit("one", flow_of(answer()))  # it may be about to arrive
    long_ago = datetime.now(UTC) - 2 * SUBMISSION_GRACE_PERIOD
    controller.flows.update_many({}, {"$set": {"created_on": long_ago}})
    assert cluster.manager().submit("one", flow_of(answer()))
    assert cluster.work() == 1


def test_a_failed_job_tells_why(cluster):
    cluster.manager().submit("one", flow_of(fail()))
    cluster.work()
    with pytest.raises(FlowFailed) as caught:
        cluster.manager().run("one", flow_of(fail()))
    failure = failure_of(caught.value)
    assert failure.kind is FailureKind.TIMEOUT
    assert "job 1" in failure.message


def test_chgnet_s_flows_survive_the_journey(cluster, feni, tmp_path, monkeypatch):
    """The oracle submits, is lost before anything ran, and another one collects."""
    options = DftOptions(protocol="static", manager="jobflow-remote")
    here = DftOracle(DftOptions(protocol="static", folder=tmp_path / "local")).measure(feni)

    class Lost(RemoteManager):
        def run(self, submission, flow):
            self.submit(submission, flow)
            raise KeyboardInterrupt

    def make(kind):
        manager = kind(SETTINGS, controller=cluster.controller())
        monkeypatch.setattr(oracle_module, "make_manager", lambda *_: manager)
        return DftOracle(options)

    with pytest.raises(KeyboardInterrupt):
        make(Lost).measure(feni)
    assert cluster.work() == 2  # the calculation and its summary
    there = make(RemoteManager).measure(feni)
    assert there.status is Status.OK, there.failure
    assert there.properties == pytest.approx(here.properties)
    assert there.fingerprint == here.fingerprint
    assert there.cost.wall_seconds > 0
    assert cluster.work() == 0


def test_a_job_may_run_as_long_as_its_queue_allows_however_long_it_waits(feni, monkeypatch):
    given = []

    def single_point(self, structure, *, seconds):
        given.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr("alloop.oracles.dft.engines.chgnet.ChgnetEngine.single_point", single_point)
    profile = Profile(jobflow_remote=SETTINGS.model_copy(update={"walltime": 100.0}))
    options = DftOptions(protocol="static", manager="jobflow-remote")
    with pytest.raises(KeyboardInterrupt):
        DftOracle(options, profile=profile).measure(feni)
    assert given == [100.0]
