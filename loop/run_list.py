"""The runs of a folder: where each stands, its best, and how long it still takes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from alloop.errors import AlloopError
from alloop.loop.record.ledger_file import LEDGER, controller_process
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.steps import Wait, next_step


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    WAITING = "waiting"
    """People are asked, and nothing else can be done meanwhile."""
    PAUSED = "paused"
    """Its limit on time ended the last session."""
    STOPPED = "stopped"
    """Something is left to do, and nobody does it: it was interrupted, changed or killed."""
    CLOSED = "closed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class ListedRun:
    """A run as a list shows it."""

    path: Path
    state: RunState
    why: str
    """Reason for which it is closed, paused or unreadable; else empty."""
    name: str = ""
    since: str = ""
    """Time of the ledger's last event: UTC, ISO 8601."""
    round: int = 0
    rounds: int = 0
    measured: int = 0
    """Number of measurements by the first tier."""
    measurements: int = 0
    """Number that its budget allows."""
    best: str = ""
    """Formula of the best of the first tier; empty before the first label."""
    values: dict[str, float] | None = None
    """Values of its objectives."""
    is_feasible: bool = True
    """Whether the best meets the constraints."""
    seconds_left: float | None = None
    """Estimated time that it still takes, s; 0 where it is closed, None where that is not known."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(vars(self)) | {"path": str(self.path), "state": self.state.value}


def list_runs(folder: Path) -> Iterator[ListedRun]:
    """Yield the runs in a folder, by name; the folder itself, if it is one.

    What cannot be read is listed with the reason. Nothing is written, and no controller held up.
    """
    if (folder / LEDGER).exists():
        yield listed(folder)
        return
    for ledger in sorted(folder.glob(f"*/{LEDGER}")):
        yield listed(ledger.parent)


def listed(run: Path) -> ListedRun:
    """Return a run as a list shows it."""
    try:
        state = RunFolder.read(run).state
    except AlloopError as error:
        return ListedRun(run, RunState.UNREADABLE, error.what)
    return listed_state(run, state)


def listed_state(run: Path, state: CampaignState) -> ListedRun:
    """Return a run that was read as a list shows it."""
    standing, why = _state_of(run, state)
    best = state.best()
    objectives = [objective.property for objective in state.spec.objectives]
    return ListedRun(
        run,
        standing,
        why,
        name=state.spec.name,
        since=state.latest,
        round=state.last_round,
        rounds=state.spec.budget.rounds,
        measured=sum(m.tier == 0 for m in state.recorded.values()),
        measurements=state.spec.budget.measurements[0],
        best="" if best is None else state.formulas.get(best.candidate, ""),
        values=None if best is None else {name: best.properties[name] for name in objectives},
        is_feasible=best is None or state.utility.is_feasible(best.properties),
        seconds_left=seconds_left(state),
    )


def _state_of(run: Path, state: CampaignState) -> tuple[RunState, str]:
    process = controller_process(run)
    if process is not None and process != os.getpid():
        return RunState.RUNNING, ""
    if state.closed is not None:
        return RunState.CLOSED, state.closed
    if isinstance(next_step(state), Wait):
        return RunState.WAITING, f"{len(state.pending)} labels"
    if state.paused is not None:
        return RunState.PAUSED, state.paused
    return RunState.STOPPED, ""


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


def age(run: ListedRun, now: datetime | None = None) -> float | None:
    """Return how long ago the last event of a run was, s; None where that is not known."""
    if not run.since:
        return None
    when = datetime.fromisoformat(run.since)
    return max(((now or datetime.now(UTC)) - when).total_seconds(), 0.0)
