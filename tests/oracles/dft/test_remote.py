"""jobflow-remote's own JobController and job runner, on a Mongo database in memory."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("jobflow_remote", reason="jobflow-remote is not installed (extra: remote)")

import mongomock_ng as mongomock
from jobflow import Flow, JobStore, job
from jobflow_remote.config.base import LocalWorker, Project
from jobflow_remote.jobs.data import IN_FILENAME
from jobflow_remote.jobs.jobcontroller import JobController
from jobflow_remote.jobs.run import run_remote_job
from jobflow_remote.remote.data import get_remote_in_file, get_remote_store, resolve_job_dict_args
from maggma.stores import MongoStore
from mongomock_ng.store import ServerStore

from oracles.base import FailureKind, Status
from oracles.dft import oracle as oracle_module
from oracles.dft.failure import RunFailed, failure_of
from oracles.dft.options import DftOptions, RemoteOptions
from oracles.dft.oracle import DftOracle
from oracles.dft.remote import SETTLED, RemoteManager

OPTIONS = RemoteOptions(worker="here", poll=0.01)


class InMemoryStore(MongoStore):
    """A store whose client can be closed and opened again, as that of a real server can."""

    def __init__(self, server: ServerStore, collection: str) -> None:
        super().__init__(database="db", collection_name=collection)
        self._server = server

    def connect(self, force_reset: bool = False) -> None:
        if self._coll is None or force_reset:
            client = mongomock.MongoClient(_store=self._server)
            self._coll = client[self.database][self.collection_name]

    def close(self) -> None:
        self._coll = None  # closing a mongomock client would empty its server


class Cluster:
    """A database that outlives its controllers, and a machine that runs what is in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = ServerStore()
        worker = LocalWorker(work_dir=folder, scheduler_type="shell")
        unused = {"store": {"type": "MongoStore", "database": "none", "collection_name": "none"}}
        self._project = Project(
            name="tests", base_dir=str(folder), workers={"here": worker}, queue=unused
        )
        self.controller().reset(max_limit=0)

    def controller(self) -> JobController:
        store = JobStore(
            InMemoryStore(self._server, "outputs"),
            additional_stores={"data": InMemoryStore(self._server, "data")},
        )
        queue = InMemoryStore(self._server, "jobs")
        return JobController(queue, store, project=self._project)

    def manager(self) -> RemoteManager:
        return RemoteManager(OPTIONS, controller=self.controller())

    def work(self) -> int:
        """Run everything that is ready, as jobflow-remote's runner does; return how many jobs."""
        done = 0
        while checked_out := (controller := self.controller()).checkout_job():
            uuid, index = checked_out
            document = controller.jobs.find_one({"uuid": uuid, "index": index})
            folder = self._folder / f"{uuid}-{index}"
            folder.mkdir()
            resolve_job_dict_args(document["job"], controller.jobstore)
            store = get_remote_store(controller.jobstore, folder, None)
            given = get_remote_in_file(document["job"], store, document)
            (folder / IN_FILENAME).write_bytes(given.read())
            run_remote_job(folder)
            controller.complete_job(document, folder, controller.jobstore)
            done += 1
        return done


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


@job
def answer() -> dict:
    return {"answer": 42}


@job
def fail() -> None:
    raise TimeoutError("VASP was told to stop: its time was over")


def flow_of(work) -> Flow:
    return Flow([work], output=work.output)


def test_a_lost_controller_s_job_is_collected_by_the_next(cluster):
    assert cluster.manager().submit("one", flow_of(answer()))
    # The controller is gone; the cluster goes on.
    assert cluster.work() == 1
    collected = cluster.manager().run("one", flow_of(answer()))
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
    long_ago = datetime.now(UTC) - 2 * SETTLED
    controller.flows.update_many({}, {"$set": {"created_on": long_ago}})
    assert cluster.manager().submit("one", flow_of(answer()))
    assert cluster.work() == 1


def test_a_failed_job_tells_why(cluster):
    cluster.manager().submit("one", flow_of(fail()))
    cluster.work()
    with pytest.raises(RunFailed) as caught:
        cluster.manager().run("one", flow_of(fail()))
    failure = failure_of(caught.value)
    assert failure.kind is FailureKind.TIMEOUT
    assert "job 1" in failure.message


def test_chgnet_s_flows_survive_the_journey(cluster, feni, tmp_path, monkeypatch):
    """The oracle submits, is lost before anything ran, and another one collects."""
    options = DftOptions(protocol="static", manager="jobflow-remote", remote=OPTIONS)
    here = DftOracle(DftOptions(protocol="static", folder=tmp_path / "local")).measure(feni)

    class Lost(RemoteManager):
        def run(self, submission, flow):
            self.submit(submission, flow)
            raise KeyboardInterrupt

    def make(kind):
        monkeypatch.setattr(
            oracle_module, "make_manager", lambda _: kind(OPTIONS, controller=cluster.controller())
        )
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
