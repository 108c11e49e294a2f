"""Where a run stands: who works on it or is waited for, since when, and when it will be done."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from alloop.loop.measure.jobs import Job, jobs_of, running
from alloop.loop.record.ledger_file import controller_process
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.steps import Measure, Wait, next_step

QUIET = 300.0
"""Time without an event, s, after which a controller that waits for measurements of which none is
under way is called stalled."""
SLOW_FACTOR, SLOW = 10.0, 600.0
"""A measurement is called stalled when it takes so many times as long as its tier's median, and so
many seconds at least."""
_ENOUGH = 5
"""Number of measurements that make a median."""


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    STALLED = "stalled"
    """A controller works on it and nothing comes of that."""
    WAITING = "waiting"
    """People are asked, and nothing else can be done meanwhile."""
    PAUSED = "paused"
    """Its limit on time ended the last session."""
    STOPPED = "stopped"
    """Something is left to do, and nobody does it: it was interrupted or changed."""
    KILLED = "killed"
    """Something is left to do, and the last controller ended without having said so."""
    CLOSED = "closed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Standing:
    """Where a run stands."""

    state: RunState
    why: str
    """Reason for which it stands so, where there is one to say."""
    since: str
    """Time since which it stands so: UTC, ISO 8601."""
    seconds_left: float | None
    """Estimated time that it still takes, s; 0 where it is closed, None where that is not known."""

    def done_at(self, now: datetime | None = None) -> str | None:
        """Return when it will be done by that estimate: UTC, ISO 8601; None where nobody works on
        it, or that is not known."""
        if self.seconds_left is None or self.state is not RunState.RUNNING:
            return None
        done = (now or datetime.now(UTC)) + timedelta(seconds=self.seconds_left)
        return done.isoformat(timespec="seconds")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(vars(self)) | {"state": self.state.value, "done_at": self.done_at()}


def standing_of(run: Path, state: CampaignState, now: datetime | None = None) -> Standing:
    """Return where a run that was read stands. Nothing is written, and no controller held up.

    Args:
        run: the run's folder.
        state: of the campaign.
        now: time; None for the present.
    """
    found, why, since = _found(run, state, now or datetime.now(UTC))
    return Standing(found, why, since, seconds_left(state))


def _found(run: Path, state: CampaignState, now: datetime) -> tuple[RunState, str, str]:
    process = controller_process(run)
    if process is not None and process != os.getpid():
        stalled = _stalled(run, state, process, now)
        return stalled or (RunState.RUNNING, "", state.session_began or state.latest)
    if state.closed is not None:
        return RunState.CLOSED, state.closed, state.latest
    if isinstance(next_step(state), Wait):
        return RunState.WAITING, f"{len(state.pending)} labels", state.latest
    if state.paused is not None:
        return RunState.PAUSED, state.paused, state.latest
    if state.session_began and process is None:
        why = "no controller works on it here, and the last one did not say that it ended"
        return RunState.KILLED, why, state.latest
    return RunState.STOPPED, "", state.latest


def _stalled(
    run: Path, state: CampaignState, process: int, now: datetime
) -> tuple[RunState, str, str] | None:
    if _is_suspended(process):
        return RunState.STALLED, f"its controller (process {process}) is suspended", state.latest
    if not isinstance(next_step(state), Measure):
        return None  # models and decisions take their time
    under_way = list(running(jobs_of(run, state)))
    if not under_way:
        if (now - datetime.fromisoformat(state.latest)).total_seconds() < QUIET:
            return None
        return RunState.STALLED, "no worker has begun a measurement", state.latest
    return _slow(state, under_way, now)


def _slow(
    state: CampaignState, jobs: Sequence[Job], now: datetime
) -> tuple[RunState, str, str] | None:
    """Return the standing of a run of which every measurement under way takes far too long."""
    for job in jobs:
        answers = (m for m in state.measured.values() if m.tier == job.tier and not m.reuse)
        took = [m.wall_seconds for m in answers]
        seconds = job.seconds(now) or 0.0
        if len(took) < _ENOUGH or seconds < max(SLOW, SLOW_FACTOR * median(took)):
            return None
    first = min(jobs, key=lambda job: job.since)
    why = f"what is measured takes far longer than before, such as {first.candidate[:12]}"
    return RunState.STALLED, f"{why} ({first.where})", first.since


def _is_suspended(process: int) -> bool:
    try:
        status = psutil.Process(process).status()
        return status in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except psutil.Error:
        return False


def seconds_left(state: CampaignState) -> float | None:
    """Return an estimate of the time that a campaign still takes under a controller, s.

    What is left of its plan takes as long as the same number of measurements took so far, models
    and decisions included; a limit on time bounds it. None before the first measurement, and
    where people measure.
    """
    if state.closed is not None:
        return 0.0
    if state.tiers_of_people:
        return None
    done = sum(m.tier == 0 for m in state.recorded.values())
    if not done or not state.wall_seconds:
        return None
    planned = planned_measurements(state)
    found = state.wall_seconds * max(planned - done, len(state.pending)) / done
    limit = state.spec.budget.wall_time
    if limit is None:
        return found
    return max(min(found, limit.total_seconds() - state.wall_seconds), 0.0)


def planned_measurements(state: CampaignState) -> int:
    """Return the number of measurements that the first tier makes if nothing ends the campaign
    early: the initial ones, batches, and local search, within its budget."""
    spec = state.spec
    search = spec.augmentation
    each = spec.acquisition.batch
    if search is not None:
        each += search.parents * search.iterations * search.swaps
    return min(spec.budget.measurements[0], spec.budget.initial + spec.budget.rounds * each)
