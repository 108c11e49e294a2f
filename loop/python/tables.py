"""Decisions, measurements and rounds of a campaign as pandas tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from alloop.loop.measure.jobs import Job
from alloop.loop.python.decision_rows import flat
from alloop.loop.record.events import Measured
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, all_trials
from alloop.oracles.base import Status

DECISION_COLUMNS = ("round", "stage", "tier", "candidate", "formula", "lattice", "chosen", "reason")
MEASUREMENT_COLUMNS = ("candidate", "formula", "lattice", "tier", "round", "stage", "status")
JOB_COLUMNS = ("candidate", "formula", "lattice", "tier", "state", "where", "since", "attempt")
ROUND_COLUMNS = ("round", "considered", "chosen", "measured", "failed", "best")
"""Columns that a table has without any row, too."""


def decision_table(state: CampaignState) -> pd.DataFrame:
    """Return every decision with what came of it: the columns of ``alloop audit --format csv``."""
    return _table((flat(trial, state) for trial in all_trials(state)), DECISION_COLUMNS)


def measurement_table(folder: RunFolder) -> pd.DataFrame:
    """Return every measurement in order of arrival: of a corrected one the newest values, of a
    reused one no cost. Properties in their units, costs in s and h."""
    times = {
        entry.event.evaluation: entry.time
        for entry in folder.entries
        if isinstance(entry.event, Measured)
    }
    rows = (_measurement(folder.state, m, times) for m in folder.state.measured.values())
    return _table(rows, MEASUREMENT_COLUMNS)


def _measurement(state: CampaignState, m: Measured, times: Mapping[str, str]) -> dict[str, Any]:
    decision = state.decisions[m.candidate]
    return {
        "candidate": m.candidate,
        "formula": decision.formula,
        "lattice": decision.lattice,
        "tier": m.tier,
        "round": m.round,
        "stage": m.stage.value,
        "status": m.status.value,
        **m.properties,
        "is_reliable": state.is_reliable(m),
        "failure": "" if m.failure_kind is None else f"{m.failure_kind}: {m.failure_message}",
        "oracle": m.oracle,
        "who": m.who,
        "time": times[m.evaluation],
        "calls": m.calls,
        "wall_seconds": m.wall_seconds,
        "core_hours": m.core_hours,
        "money": m.money,
    }


def round_table(state: CampaignState) -> pd.DataFrame:
    """Return every round, 0 being the first candidates: numbers of decisions and measurements of
    all tiers, and the first tier's best so far with its candidate and the objectives' values."""
    by_round: dict[int, list[Trial]] = {}
    for trial in all_trials(state):
        by_round.setdefault(trial.proposal.round, []).append(trial)
    rows, best = [], None
    for number, trials in sorted(by_round.items()):
        answers = [t.answer for t in trials if t.answer is not None and t.answer.tier == 0]
        ranked = [a for a in (best, *answers) if a is not None]
        best = max(ranked, key=lambda m: state.utility.rank(m.properties), default=None)
        measured = [t.measured for t in trials if t.measured is not None]
        objectives = [objective.property for objective in state.spec.objectives]
        rows.append(
            {
                "round": number,
                "considered": len(trials),
                "chosen": sum(t.decision.chosen for t in trials),
                "measured": len(measured),
                "failed": sum(m.status is Status.FAILED for m in measured),
                "best": None if best is None else best.candidate,
                **{f"best_{n}": None if best is None else best.properties[n] for n in objectives},
            }
        )
    return _table(rows, ROUND_COLUMNS)


def job_table(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return what is measured or waits to be, one a row."""
    return _table((job.to_json() for job in jobs), JOB_COLUMNS)


def _table(rows: Iterable[Mapping[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    rows = list(rows)
    names = dict.fromkeys((*columns, *(name for row in rows for name in row)))
    return pd.DataFrame(rows, columns=list(names))
