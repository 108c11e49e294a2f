"""Measurements that a campaign asks for now: which run where, which wait, which are done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from alloop.campaigns.execution import SlurmExecution
from alloop.loop.measure.holder import read_holder
from alloop.loop.measure.spool import Spool, attempt_id
from alloop.loop.state.campaign_state import CampaignState, Evaluation

SPOOL = "spool"
"""Folder of a run in which measurements lie that the ledger does not have yet."""


class JobState(StrEnum):
    """States of a measurement that is asked for."""

    RUNNING = "running"
    WAITING = "waiting"
    """No worker has begun it."""
    MEASURED = "measured"
    """Its answer lies ready for the controller, which records it when it is at work."""
    PEOPLE = "people"
    """People are asked for it."""


@dataclass(frozen=True)
class Job:
    """A measurement that is asked for, and where it runs."""

    candidate: str
    formula: str
    lattice: str | None
    tier: int
    kind: str
    """Kind of the tier's oracle."""
    state: JobState
    where: str
    """Process or Slurm job that measures it; empty where none does."""
    since: str
    """Time at which it began: UTC, ISO 8601; empty where it has not."""
    attempt: int
    """Number of the attempt: 1, 2, 3, …"""
    attempts: int
    """Number of attempts that its tier makes by itself."""
    evaluation: str
    """Id by which the ledger knows it."""

    def seconds(self, now: datetime | None = None) -> float | None:
        """Return for how long it has been measured, s; None where it is not."""
        if not self.since:
            return None
        began = datetime.fromisoformat(self.since)
        return max(((now or datetime.now(UTC)) - began).total_seconds(), 0.0)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(vars(self)) | {"state": self.state.value, "seconds": self.seconds()}


@dataclass(frozen=True)
class QueuedWorker:
    """A job of Slurm that a worker runs in, or will."""

    id: str
    state: str
    """State in Slurm's words: ``PENDING``, ``RUNNING``, …"""
    reason: str
    """Why it waits, as Slurm says; empty where it runs."""


def jobs_of(run: Path, state: CampaignState) -> list[Job]:
    """Return what is measured, and what waits for it; in the order of the decisions.

    Read from the files that workers hold while they measure, wherever they are. Nothing is written,
    and no controller is held up.
    """
    return [_job(run, state, evaluation) for evaluation in state.pending]


def workers_in_queue(state: CampaignState, spool: Spool) -> list[QueuedWorker]:
    """Return the Slurm jobs of a run's workers; none where it does not run on Slurm.

    Args:
        state: of the campaign.
        spool: of the run; its jobs are named after it.
    """
    if not isinstance(state.spec.execution, SlurmExecution):
        return []
    from alloop.loop.measure.slurm import job_name, queue_of  # noqa: PLC0415 (imports Dask)

    return [QueuedWorker(*fields) for fields in queue_of(job_name(spool)) or ()]


def _job(run: Path, state: CampaignState, evaluation: Evaluation) -> Job:
    attempt = 1 + len(state.attempts.get(evaluation.id, ()))
    name = attempt_id(evaluation.id, attempt)
    tier = state.spec.tiers[evaluation.tier]
    decision = state.decisions[evaluation.candidate]
    standing, where, since = JobState.WAITING, "", ""
    if evaluation.tier in state.tiers_of_people:
        standing = JobState.PEOPLE
    elif (run / SPOOL / f"{name}.json").exists():
        standing = JobState.MEASURED
    elif (holder := read_holder(run / SPOOL / f"{name}.lock")) is not None:
        standing, where, since = JobState.RUNNING, holder.where, holder.since
    return Job(
        candidate=evaluation.candidate,
        formula=decision.formula,
        lattice=decision.lattice,
        tier=evaluation.tier,
        kind=tier.kind,
        state=standing,
        where=where,
        since=since,
        attempt=attempt,
        attempts=tier.attempts,
        evaluation=evaluation.id,
    )


def running(jobs: list[Job]) -> Iterator[Job]:
    """Yield those that are measured now."""
    return (job for job in jobs if job.state is JobState.RUNNING)
