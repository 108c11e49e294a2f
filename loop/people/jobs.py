"""Measurements under way that a person ends, or has begun anew, while the controller works.

The answer is written into the spool, sealed like a worker's: a failure that says who ended it and
why. The worker that measures finds it there within a second or two and ends what it was doing,
wherever it runs; the controller records it as it records every answer. So nothing but the
controller writes to the ledger, and a measurement that has just been finished stays what it is.
"""

from dataclasses import dataclass
from pathlib import Path

from alloop.canonical import canonical_json
from alloop.errors import DataError, RunError
from alloop.loop.measure.jobs import Job, JobState, QueuedWorker, jobs_of, workers_in_queue
from alloop.loop.measure.spool import Spool, attempt_id
from alloop.loop.opening import folded
from alloop.loop.ownership import is_own
from alloop.loop.people.who import checked_reason, user_name
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import Cost, Failure, FailureKind, Measurement, Status


@dataclass(frozen=True)
class Ended:
    """A measurement that a person has ended."""

    job: Job
    who: str
    why: str
    again: bool
    """Whether it is begun anew."""


def queued_workers(folder: RunFolder) -> list[QueuedWorker]:
    """Return the Slurm jobs of a run's workers; none where it does not run on Slurm."""
    return workers_in_queue(folder.state, Spool.of_run(folder.path, folder.entries[0].hash))


def end_job(run: Path, id: str, *, why: str, again: bool, who: str = "") -> Ended:
    """End a measurement that is under way or waits, for good or to be begun anew.

    Args:
        run: the run's folder.
        id: beginning of the candidate's id, or of the evaluation's.
        why: the reason, for the record.
        again: whether it is tried once more; else it counts as failed.
        who: name of whoever ends it; by default the user's.

    Raises:
        DataError: if no such measurement is under way, or there is no reason.
        RunError: if there is no campaign, somebody else began it, or its spool cannot be written.
    """
    reason, by = checked_reason(why), who or user_name()
    folder = RunFolder.read(run)
    _, telling = folded(folder.entries)
    if not is_own(telling):
        raise RunError(
            "you did not begin this run (or your key was another then), so that its controller "
            "would not believe you",
            where=str(run),
            remedy="Ask whoever runs it.",
        )
    job = _found(jobs_of(run, folder.state), id, run)
    if again and job.state is JobState.WAITING:
        raise DataError(
            f"{job.candidate[:12]} has not begun yet",
            where=str(run),
            remedy="It will be tried when its turn comes; `alloop resume` starts a controller.",
        )
    spool = Spool.of_run(run, folder.entries[0].hash)
    spool.make()
    name, fingerprint = attempt_id(job.evaluation, job.attempt), folder.state.fingerprints[job.tier]
    seconds = job.seconds()
    words = "begun anew by" if again else "cancelled by"
    measurement = Measurement(
        Status.FAILED,
        {},
        None,
        Failure(FailureKind.CANCELLED, f"{words} {by}: {reason}", retryable=again),
        oracle=job.kind,
        fingerprint=fingerprint,
        cost=Cost() if seconds is None else Cost(calls=1, wall_seconds=seconds),
    )
    content = canonical_json(measurement.to_json()).encode()
    if not spool.write_first(name, fingerprint, content):
        raise _is_over(job, run)
    return Ended(job, by, reason, again)


def _found(jobs: list[Job], id: str, run: Path) -> Job:
    asked = id.lower()
    matches = [j for j in jobs if asked and j.candidate.startswith(asked)] or [
        j for j in jobs if asked and j.evaluation.startswith(asked)
    ]
    if len(matches) > 1:
        raise DataError(
            f"{len(matches)} measurements with an id that begins with {id!r}",
            where=str(run),
            remedy="Give more digits, or the evaluation's id of `alloop jobs RUN --format json`.",
        )
    if not matches:
        raise DataError(
            f"nothing with an id that begins with {id!r} is measured or waits",
            where=str(run),
            remedy="`alloop jobs RUN` lists what is. To have a measurement that is recorded made "
            "again: `alloop retract RUN ID --why … --measure-again`.",
        )
    (job,) = matches
    if job.state is JobState.PEOPLE:
        raise DataError(
            f"{job.candidate[:12]} is measured by people",
            where=str(run),
            remedy="`alloop label RUN ID failed=REASON`, or `alloop veto`.",
        )
    if job.state is JobState.MEASURED:
        raise _is_over(job, run)
    return job


def _is_over(job: Job, run: Path) -> DataError:
    return DataError(
        f"the measurement of {job.candidate[:12]} is over",
        where=str(run),
        remedy="A controller records it; `alloop resume` starts one.",
    )
