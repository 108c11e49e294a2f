"""Small tables: what the models were trained on, what failed, what it all cost."""

from dataclasses import dataclass

from alloop.loop.report.figures.style import STAGE_NAMES
from alloop.loop.report.words import ID_DIGITS, duration, significant
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, all_trials
from alloop.oracles.base import Status


@dataclass(frozen=True)
class ReportTable:
    """A table of text, escaped when the page is rendered."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    """Indices of the columns set flush right."""
    note: str = ""


def training_table(state: CampaignState) -> ReportTable | None:
    """Return one row per fitted model, with every figure that its training reported."""
    models = [state.models[round] for round in sorted(state.models)]
    if not models:
        return None
    metrics = tuple(dict.fromkeys(name for model in models for name in model.metrics))
    heads = ("round", "labelled", "unlabelled", "epochs", "time")
    rows = tuple(
        (
            str(model.round),
            str(model.n_labelled),
            str(model.n_unlabelled),
            str(model.epochs),
            duration(model.seconds),
            *(significant(model.metrics[m]) if m in model.metrics else "" for m in metrics),
            model.checkpoint[:ID_DIGITS],
        )
        for model in models
    )
    names = tuple(name.replace("_", " ") for name in metrics)
    numeric = tuple(range(1, len(heads) + len(metrics)))
    return ReportTable((*heads, *names, "checkpoint"), rows, numeric)


def failures_table(state: CampaignState) -> ReportTable | None:
    """Return one row per failed measurement; None where none failed."""
    rows = tuple(_failure(trial, state) for trial in all_trials(state) if _has_failed(trial))
    if not rows:
        return None
    heads = ("kind", "message", "candidate", "formula", "where", "tier", "time", "tries", "verdict")
    note = (
        "Infeasible: the material itself is the cause, and nothing equivalent is proposed again. "
        "Missing: the machine or the software failed, and nothing is known of the material. "
        "In doubt: it gave a value that is not to be relied on, and nothing is decided by it."
    )
    return ReportTable(heads, rows, numeric=(6, 7), note=note)


def failure_counts(state: CampaignState) -> str:
    """Return the numbers of failed measurements by kind: ``3 timeout, 1 error``."""
    counts: dict[str, int] = {}
    for measured in state.measured.values():
        if measured.status is Status.FAILED:
            kind = _kind(measured.failure_kind)
            counts[kind] = counts.get(kind, 0) + 1
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n} {kind}" for kind, n in order)


def _has_failed(trial: Trial) -> bool:
    return trial.measured is not None and trial.answer is None


def _failure(trial: Trial, state: CampaignState) -> tuple[str, ...]:
    measured = trial.measured
    assert measured is not None
    return (
        "in doubt" if trial.doubt else _kind(measured.failure_kind),
        trial.doubt or measured.failure_message,
        measured.candidate[:ID_DIGITS],
        " ".join(part for part in (trial.decision.formula, trial.decision.lattice) if part),
        f"round {measured.round}, {STAGE_NAMES[measured.stage]}",
        str(measured.tier),
        duration(measured.wall_seconds),
        str(1 + len(state.attempts.get(measured.evaluation, ()))),
        "in doubt" if trial.doubt else "infeasible" if measured.is_infeasible else "missing",
    )


def _kind(kind: str | None) -> str:
    return "unknown" if kind is None else str(kind).replace("_", " ")


def oracle_name(state: CampaignState, tier: int) -> str:
    """Return the name of a tier's oracle: as it signed, or its kind before it has answered."""
    names = (m.oracle for m in state.measured.values() if m.tier == tier)
    return next(names, state.spec.tiers[tier].kind)


def cost_table(state: CampaignState) -> ReportTable:
    """Return the measurements of each tier and their cost."""
    rows = []
    has_money = any(m.money for m in state.measured.values())
    has_reused = any(m.reuse for m in state.measured.values())
    for tier in range(len(state.spec.tiers)):
        answers = [m for m in state.measured.values() if m.tier == tier]
        failed = sum(m.status is Status.FAILED for m in answers)
        cost = state.cost(tier)
        reused = [m for m in answers if m.reuse is not None]
        fresh = len(answers) - len(reused)
        saved = sum(m.worth.wall_seconds for m in reused)
        rows.append(
            (
                str(tier),
                oracle_name(state, tier),
                f"{len(answers)} of {state.spec.budget.measurements[tier]}",
                str(failed),
                str(cost.calls),
                duration(cost.wall_seconds),
                duration(cost.wall_seconds / fresh) if fresh else "",
                significant(cost.core_hours, 3),
                *([significant(cost.money)] if has_money else []),
                *([f"{len(reused)} ({duration(saved)} then)"] if has_reused else []),
            )
        )
    heads = ["tier", "oracle", "measured", "failed", "calls", "time", "each", "core-hours"]
    heads += ["money"] if has_money else []
    heads += ["reused"] if has_reused else []
    note = "Reused labels were measured by other campaigns and cost this one nothing."
    numeric = tuple(range(2, len(heads)))
    return ReportTable(tuple(heads), tuple(rows), numeric=numeric, note=note if has_reused else "")
