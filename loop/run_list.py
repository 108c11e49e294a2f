"""The runs of a folder: where each stands, its best, and how long it still takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alloop.errors import AlloopError
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.run_folder import RunFolder
from alloop.loop.standing import RunState, standing_of
from alloop.loop.state.campaign_state import CampaignState


@dataclass(frozen=True)
class ListedRun:
    """A run as a list shows it."""

    path: Path
    state: RunState
    why: str
    """Reason for which it stands so; empty where there is none to say."""
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
    standing = standing_of(run, state)
    best = state.best()
    objectives = [objective.property for objective in state.spec.objectives]
    return ListedRun(
        run,
        standing.state,
        standing.why,
        name=state.spec.name,
        since=state.latest,
        round=state.last_round,
        rounds=state.spec.budget.rounds,
        measured=sum(m.tier == 0 for m in state.recorded.values()),
        measurements=state.spec.budget.measurements[0],
        best="" if best is None else state.formulas.get(best.candidate, ""),
        values=None if best is None else {name: best.properties[name] for name in objectives},
        is_feasible=best is None or state.utility.is_feasible(best.properties),
        seconds_left=standing.seconds_left,
    )


def age(run: ListedRun, now: datetime | None = None) -> float | None:
    """Return how long ago the last event of a run was, s; None where that is not known."""
    if not run.since:
        return None
    when = datetime.fromisoformat(run.since)
    return max(((now or datetime.now(UTC)) - when).total_seconds(), 0.0)
