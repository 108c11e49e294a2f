"""The decision table: every choice, with the reason for it and what came of it."""

from functools import partial
from typing import Any

from alloop.loop.record.events import Posterior
from alloop.loop.report.words import decimals_of, label_of, unit_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, all_trials, retraction_of, unmeasured_reason

Cell = str | float | int | None | list[float]


def decision_island(state: CampaignState) -> dict[str, Any]:
    """Return the table's columns and rows as plain JSON values.

    A column has a key, a heading, an explanation, and for numbers the digits after the point
    (-1 for three significant ones). A posterior's cell is a list of mean and standard deviation.
    """
    trials = all_trials(state)
    columns = _columns(state, trials)
    return {
        "columns": [column for column, _ in columns],
        "rows": [[read(trial) for _, read in columns] for trial in trials],
    }


def _columns(state: CampaignState, trials: tuple[Trial, ...]) -> list[tuple[dict[str, Any], Any]]:
    columns: list[tuple[dict[str, Any], Any]] = [
        (_column("round", "Round", digits=0), lambda t: t.proposal.round),
        (_column("stage", "Stage"), lambda t: t.proposal.stage.value),
    ]
    if any(trial.proposal.iteration for trial in trials):
        columns.append(
            (
                _column("step", "Step", "iteration of the local search", digits=0),
                lambda t: t.proposal.iteration or None,
            )
        )
    if len(state.terms) > 1:
        columns.append(
            (_column("terms", "Terms", "see the record", digits=0), lambda t: t.terms),
        )
    if len(state.spec.tiers) > 1:
        columns.append((_column("tier", "Tier", digits=0), lambda t: t.proposal.tier))
    columns.append((_column("formula", "Formula"), lambda t: t.decision.formula))
    if any(trial.decision.lattice for trial in trials):
        columns.append((_column("lattice", "Lattice"), lambda t: t.decision.lattice))
    columns += [
        (_column("candidate", "Candidate", "beginning of its id"), lambda t: t.decision.candidate),
        (_column("decision", "Decision", "chosen, or the rule that rejected it"), _verdict),
        (
            _column("margin", "Margin", "how far from passing, in the rule's own unit", digits=-1),
            lambda t: _short(t.decision.margin),
        ),
        (
            _column("acquisition", "Acquisition", "log expected improvement", digits=-1),
            lambda t: _short(t.decision.acquisition),
        ),
    ]
    for name in state.spec.property_names():
        columns += _property_columns(name, trials)
    columns += [
        (_column("result", "Result", "of the measurement"), partial(_result, state)),
        (_column("reason", "Reason"), lambda t: t.decision.reason),
    ]
    return columns


def _property_columns(name: str, trials: tuple[Trial, ...]) -> list[tuple[dict[str, Any], Any]]:
    def expected(trial: Trial) -> Cell:
        found: Posterior | None = trial.decision.posterior.get(name)
        return None if found is None else [found.mean, found.std]

    def measured(trial: Trial) -> Cell:
        return None if trial.answer is None else trial.answer.properties[name]

    label, unit, digits = label_of(name), unit_of(name), decimals_of(name)
    columns: list[tuple[dict[str, Any], Any]] = []
    if any(name in trial.decision.posterior for trial in trials):
        explained = f"{label} that the surrogate expected: mean ± standard deviation, {unit}"
        columns.append(
            (_column(f"expected_{name}", f"Expected {label}", explained, digits, unit), expected)
        )
    explained = f"{label} as measured, {unit}"
    columns.append((_column(name, f"Measured {label}", explained, digits, unit), measured))
    return columns


def _column(
    key: str, label: str, explained: str = "", digits: int | None = None, unit: str = ""
) -> dict[str, Any]:
    return {"key": key, "label": label, "explained": explained, "digits": digits, "unit": unit}


def _short(score: float | None) -> float | None:
    """Return a score with six significant digits, of which three are shown."""
    return None if score is None else float(f"{score:.6g}")


def _verdict(trial: Trial) -> str:
    return "chosen" if trial.decision.chosen else trial.decision.rule or "rejected"


def _result(state: CampaignState, trial: Trial) -> str:
    if not trial.decision.chosen:
        return ""
    if trial.measured is None:
        candidate, tier = trial.decision.candidate, trial.proposal.tier
        is_settled = retraction_of(state, candidate, tier) or candidate in state.by_hand.vetoes
        if state.closed is None and not is_settled:
            return "pending"
        return unmeasured_reason(state, candidate, tier)
    if trial.answer is None:
        return f"failed: {trial.measured.failure_kind or 'unknown'}".replace("_", " ")
    return "ok"
