"""Flows run by jobflow-remote, on whatever machines its project knows.

A submission's name is made from what is calculated, so it is known before anything is submitted,
and the flow carries it. Whoever asks for the same submission later, such as a controller that was
started after another had died, finds the flow by that name: finished, it is collected; alive, it
is waited for; never arrived, it is submitted. What is alive is for jobflow-remote to say: a job
that it still retries is not given up here.
"""

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from jobflow import Flow
from jobflow_remote.jobs.jobcontroller import JobController
from jobflow_remote.jobs.state import FlowState

from alloop.oracles.dft.failure import FlowFailed
from alloop.oracles.dft.local import FlowOutcome
from alloop.oracles.elsewhere import runs_at
from alloop.settings.profiles import JobflowRemoteSettings

SUBMISSION_GRACE_PERIOD = timedelta(minutes=1)
"""Grace period of a submission: a flow is recorded before its jobs; without jobs for so long, it
was cut off."""

FAILED = frozenset({FlowState.FAILED.value, FlowState.STOPPED.value})
_LAST, _NAME = "alloop_last_job", "alloop_submission"


class RemoteManager:
    """See ``Manager``.

    The machines where jobs run need this package too. Outcomes are read as plain documents and
    never decoded.

    Args:
        settings: the project, the worker and its resources.
        controller: of the project; by default the settings' own, opened when it is first needed.
    """

    def __init__(
        self, settings: JobflowRemoteSettings, *, controller: JobController | None = None
    ) -> None:
        self._settings = settings
        self._opened = controller

    @property
    def longest_job(self) -> float:
        """See ``Manager.longest_job``."""
        return self._settings.walltime

    def run(self, submission: str, flow: Flow) -> FlowOutcome:
        """See ``Manager.run``; waits for as long as jobflow-remote says that the flow is alive.

        Raises:
            FlowFailed: if a job failed or was stopped; `jf job rerun` gives it another chance.
        """
        is_new = self.submit(submission, flow)
        runs_at(f"jobflow-remote flow {_flow_id(submission)}")
        while True:
            found = self.find(submission)
            if found is None:  # somebody deleted it
                is_new = self.submit(submission, flow) or is_new
            elif found["state"] == FlowState.COMPLETED.value:
                return self._collect(found, is_new)
            elif found["state"] in FAILED:
                raise self._failure(found)
            time.sleep(self._settings.poll)

    def submit(self, submission: str, flow: Flow) -> bool:
        """Submit a flow unless jobflow-remote has it; return whether it was submitted now."""
        if self.find(submission) is not None:
            return False
        whole = Flow(
            [flow],
            output=flow.output,
            uuid=_flow_id(submission),
            name=flow.name,
            metadata={_NAME: submission, _LAST: flow.output.uuid},
        )
        try:
            self._controller.add_flow(
                whole, worker=self._worker, resources=dict(self._settings.resources) or None
            )
        except ValueError:
            # The flow's id is unique: another controller was faster.
            if self.find(submission) is None:
                raise
            return False
        return True

    def find(self, submission: str) -> Mapping[str, Any] | None:
        """Return jobflow-remote's record of a submission; None if it has none, or only the
        beginning of one whose submitter died.
        """
        record = self._controller.get_flow_info_by_flow_uuid(_flow_id(submission))
        if record is None:
            return None
        if self._controller.get_jobs_info_by_flow_uuid(record["uuid"], projection=["uuid"]):
            return dict(record)
        if datetime.now(UTC) - record["created_on"].replace(tzinfo=UTC) < SUBMISSION_GRACE_PERIOD:
            return dict(record)
        self._controller.flows.delete_one({"uuid": record["uuid"]})
        return None

    def _collect(self, record: Mapping[str, Any], is_new: bool) -> FlowOutcome:
        last = record["metadata"][_LAST]
        document = self._controller.get_job_output(job_id=last)
        jobs = self._controller.get_jobs_info_by_flow_uuid(
            record["uuid"], projection=["start_time", "end_time"]
        )
        return FlowOutcome(document, sum(map(_seconds, jobs)), is_new)

    def _failure(self, record: Mapping[str, Any]) -> FlowFailed:
        jobs = self._controller.get_jobs_info_by_flow_uuid(
            record["uuid"], projection=["state", "error", "run_dir", "db_id"]
        )
        for job in jobs:
            if job.get("error"):
                where = f"job {job['db_id']} in {job.get('run_dir')}"
                return FlowFailed(str(job["error"]), where)
        return FlowFailed(f"the flow was {record['state'].lower()}", f"flow {record['uuid']}")

    @property
    def _controller(self) -> JobController:
        if self._opened is None:
            self._opened = JobController.from_project_name(self._settings.project)
        return self._opened

    @property
    def _worker(self) -> str:
        return self._settings.worker or next(iter(self._controller.project.workers))


def _flow_id(submission: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"alloop:{submission}"))


def _seconds(job: Mapping[str, Any]) -> float:
    began, ended = job.get("start_time"), job.get("end_time")
    return (ended - began).total_seconds() if began and ended else 0.0
