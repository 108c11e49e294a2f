"""The trajectory: best so far against the number of measurements."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from alloop.loop.record.events import Stage
from alloop.loop.report.figures.progress_metric import ProgressMetric
from alloop.loop.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    QUIET,
    SKY,
    STAGE_COLOURS,
    STAGE_NAMES,
    VERMILLION,
    Figure,
    blank,
    finished,
    line_style,
    plain,
    points,
)
from alloop.loop.report.tables import ReportTable
from alloop.loop.report.words import significant
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, measured_trials

FAILED_STRIP = 0.06
"""Share of the height kept free below for failures, which have no value to be drawn at."""

OTHERS = (PURPLE, GREEN, ORANGE, VERMILLION, BLUE)
"""Colours of other runs."""

MOST_LABELS = 40
"""Most rounds whose beginning is labelled: the figure is about 40 lines of text wide."""


@dataclass(frozen=True)
class OtherRun:
    """A run that stands beside the one that is reported."""

    name: str
    state: CampaignState


def best_so_far(trials: Sequence[Trial], metric: ProgressMetric) -> list[tuple[int, float]]:
    """Return number of measurements and the value of the best feasible one among them."""
    steps: list[tuple[int, float]] = []
    best = (False, 0.0)
    for trial in trials:
        if trial.answer is not None:
            properties = trial.answer.properties
            rank = metric.utility.rank(properties)
            if rank[0] and rank > best:
                best = rank
                steps.append((trial.number, metric.value(properties)))
    if steps and steps[-1][0] < len(trials):
        steps.append((len(trials), steps[-1][1]))
    return steps


def trajectory(state: CampaignState, beside: Sequence[OtherRun] = ()) -> Figure | None:
    """Draw every tier-0 measurement in turn, and the feasible best so far as a step line.

    None without a successful one.

    Args:
        state: of the campaign.
        beside: other runs, whose best so far is drawn too.
    """
    trials = measured_trials(state)
    if not any(trial.answer for trial in trials):
        return None
    progress_metric = ProgressMetric(state.utility)
    longest = max(len(trials), *(len(measured_trials(other.state)) for other in beside), 0)
    figure = blank(
        height=420,
        xaxis={"title": {"text": "measurements"}, "range": [0, 1.02 * longest + 1]},
        yaxis={"title": {"text": progress_metric.label}},
        hovermode="closest",
    )
    failed = [trial for trial in trials if trial.answer is None]
    if failed:
        _add_failures(figure, failed, progress_metric)
    for stage in Stage:
        _add_stage(figure, stage, trials, progress_metric)
    for place, other in enumerate(beside):
        _add_other(figure, other, place, progress_metric)
    steps = best_so_far(trials, progress_metric)
    if steps:
        x, y = zip(*steps, strict=True)
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name="best so far",
            line={"shape": "hv", "color": INK, "width": 2},
            hoverinfo="skip",
        )
    _add_window(figure, state)
    objectives = state.spec.objectives
    _add_rounds(figure, trials, falls=len(objectives) == 1 and objectives[0].goal == "minimise")
    return finished(
        figure,
        id="trajectory",
        alt=f"{progress_metric.label} of {len(trials)} measurements in turn, and the best so far",
        caption=_caption(state, has_failed=bool(failed)),
    )


def _add_other(
    figure: go.Figure, other: OtherRun, place: int, progress_metric: ProgressMetric
) -> None:
    """Add the best so far of another run, by this campaign's own objectives and constraints."""
    steps = best_so_far(measured_trials(other.state), progress_metric)
    if steps:
        figure.add_scatter(
            x=[n for n, _ in steps],
            y=[value for _, value in steps],
            mode="lines",
            name=plain(other.name),
            line={"shape": "hv", "width": 1.5, **line_style(place, OTHERS)},
            hovertemplate=f"{plain(other.name)}<br>%{{y:.5g}} after %{{x}}<extra></extra>",
        )


def beside_table(state: CampaignState, beside: Sequence[OtherRun]) -> ReportTable | None:
    """Return the best of this run and the others, after as many measurements as each has and as
    all have; None where there is no other."""
    if not beside:
        return None
    metric = ProgressMetric(state.utility)
    own = OtherRun("this run", state)
    trials = [measured_trials(each.state) for each in (own, *beside)]
    common = min(map(len, trials))
    rows = []
    for each, mine in zip((own, *beside), trials, strict=True):
        best, early = best_so_far(mine, metric), best_so_far(mine[:common], metric)
        rows.append(
            (
                each.name,
                each.state.spec.acquisition.strategy,
                str(each.state.spec.seed),
                str(len(mine)),
                significant(early[-1][1], 5) if early else "–",
                significant(best[-1][1], 5) if best else "–",
            )
        )
    heads = ("run", "strategy", "seed", "measurements", f"best after {common}", "best")
    return ReportTable(
        heads,
        tuple(rows),
        numeric=(2, 3, 4, 5),
        note=f"{metric.label[0].upper()}{metric.label[1:]}, inside the constraints of this run. "
        "alloop compare tests whether strategies differ, over seeds.",
    )


def _caption(state: CampaignState, *, has_failed: bool) -> str:
    sentences = ["Every measurement by the first oracle, in the order of the decisions."]
    if explanation := ProgressMetric(state.utility).explanation:
        sentences.append(explanation)
    if state.spec.constraints:
        sentences.append("Hollow: outside the constraints; the line is the best inside them.")
    if has_failed:
        sentences.append("Crosses at the foot: failed, at the same cost.")
    return " ".join(sentences)


def _add_stage(
    figure: go.Figure, stage: Stage, trials: Sequence[Trial], progress_metric: ProgressMetric
) -> None:
    """Add a stage's values, the infeasible ones hollow."""
    utility = progress_metric.utility
    named = False
    for feasible in (True, False):
        mine = [
            (trial, progress_metric.value(trial.answer.properties))
            for trial in trials
            if trial.proposal.stage is stage
            and trial.answer is not None
            and utility.is_feasible(trial.answer.properties) is feasible
        ]
        if not mine:
            continue
        colour = STAGE_COLOURS[stage]
        figure.add_scatter(
            x=[trial.number for trial, _ in mine],
            y=[value for _, value in mine],
            name=STAGE_NAMES[stage],
            legendgroup=stage.value,
            showlegend=not named,
            marker={
                "size": 7,
                "symbol": "circle" if feasible else "circle-open",
                "color": colour,
                "opacity": 0.85 if feasible else 0.6,
                "line": {"width": 1.2 if not feasible else 0, "color": colour},
            },
            **points([trial for trial, _ in mine], utility),
        )
        named = True


def _add_failures(figure: go.Figure, failed: list[Trial], progress_metric: ProgressMetric) -> None:
    figure.update_layout(
        yaxis={"domain": [FAILED_STRIP, 1]},
        yaxis2={
            "domain": [0, FAILED_STRIP],
            "range": [-1, 1],
            "visible": False,
            "fixedrange": True,
        },
        xaxis={"anchor": "y2"},
    )
    figure.add_scatter(
        x=[trial.number for trial in failed],
        y=[0.0] * len(failed),
        yaxis="y2",
        name="failed",
        marker={"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": VERMILLION}},
        **points(failed, progress_metric.utility),
    )


def _add_rounds(figure: go.Figure, trials: Sequence[Trial], *, falls: bool) -> None:
    """Mark where each round begins; label no more of them than can be read.

    Args:
        figure: that is drawn into.
        trials: in their order.
        falls: whether the best is the lowest: labels then stand at the top, where less is.
    """
    begins: list[tuple[int, float]] = []
    for trial in trials:
        if not begins or trial.proposal.round != begins[-1][0]:
            begins.append((trial.proposal.round, trial.number - 0.5))
    lines = [
        {
            "type": "line",
            "xref": "x",
            "yref": "y domain",
            "x0": edge,
            "x1": edge,
            "y0": 0,
            "y1": 1,
            "line": {"width": 1, "color": "#c9ced4", "dash": "dot"},
        }
        for _, edge in begins[1:]
    ]
    labels = [
        {
            "x": edge,
            "y": 1 if falls else 0,
            "yref": "paper",
            "text": f"round {round}",
            "showarrow": False,
            "textangle": -90,
            "xanchor": "left",
            "yanchor": "top" if falls else "bottom",
            "yshift": -6 if falls else 26,
            "font": {"size": 11, "color": QUIET},
        }
        for round, edge in begins[:: -(-len(begins) // MOST_LABELS)]
    ]
    # All at once: each one added by itself is checked against all before it.
    figure.update_layout(
        shapes=[*figure.layout.shapes, *lines],
        annotations=[*figure.layout.annotations, *labels],
    )


def _add_window(figure: go.Figure, state: CampaignState) -> None:
    """Shade the window that the only objective aims at."""
    if len(state.spec.objectives) == 1 and (window := state.spec.objectives[0].window):
        figure.add_hrect(y0=window[0], y1=window[1], fillcolor=SKY, opacity=0.15, line_width=0)
