"""jobflow-remote's own JobController and job runner, on a Mongo database in memory."""

import logging
from pathlib import Path

import mongomock_ng as mongomock
from jobflow import JobStore
from jobflow_remote.config.base import LocalWorker, Project
from jobflow_remote.jobs.data import IN_FILENAME
from jobflow_remote.jobs.jobcontroller import JobController
from jobflow_remote.jobs.run import run_remote_job
from jobflow_remote.remote.data import get_remote_in_file, get_remote_store, resolve_job_dict_args
from maggma.stores import MongoStore
from mongomock_ng.store import ServerStore

from alloop.oracles.dft.remote import RemoteManager
from alloop.settings.profiles import JobflowRemoteSettings

SETTINGS = JobflowRemoteSettings(worker="here", poll=0.01)


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
        return RemoteManager(SETTINGS, controller=self.controller())

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
            # It silences every other logger of its process, which is the tests' here.
            logging.getLogger("alloop").disabled = False
            controller.complete_job(document, folder, controller.jobstore)
            done += 1
        return done
