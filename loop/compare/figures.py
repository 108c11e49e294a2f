"""Figures of a comparison: progress, regret, fronts and factors."""

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go

from alloop.loop.compare.comparison import Comparison
from alloop.loop.compare.statistics.curves import Band, Curve
from alloop.loop.compare.statistics.factor_curves import FactorCurves
from alloop.loop.compare.statistics.group_progress import GroupProgress
from alloop.loop.compare.statistics.progress import shown_value
from alloop.loop.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    QUIET,
    SKY,
    VERMILLION,
    Figure,
    blank,
    finished,
    line_style,
    plain,
)
from alloop.loop.report.words import label_of

COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, INK, QUIET)
LABELS = "number of labels"


def best_figure(comparison: Comparison) -> Figure:
    """Draw best so far against labels: each run thin, the middle of each group thick, with its
    band.
    """
    progress = comparison.progress
    figure = _against_labels(comparison, lambda curve: progress.sign * curve, progress.label)
    if progress.is_optimum_given:
        _level(figure, progress.shown(progress.optimum), "optimum")
    return finished(
        figure,
        id="best",
        alt=f"{progress.label} against the number of labels, of {_names(comparison)}",
        caption=f"{_capital(comparison.band.words)}; thin lines are runs. A curve begins with the "
        "first feasible label and ends with its run, a band with the shortest run of its group.",
    )


def regret_figure(comparison: Comparison) -> Figure:
    """Draw the distance from the optimum, or from the best that was found, against labels."""
    progress = comparison.progress
    unit = f" ({progress.unit})" if progress.unit else ""
    figure = _against_labels(
        comparison, lambda curve: progress.optimum - curve, f"regret in {progress.name}{unit}"
    )
    return finished(
        figure,
        id="regret-figure",
        alt=f"regret in {progress.name} against the number of labels, of {_names(comparison)}",
        caption=f"Distance from {progress.optimum_words}; {comparison.band.words}.",
    )


def front_figure(comparison: Comparison) -> Figure | None:
    """Draw the Pareto front of every run in the first two objectives; None for one objective."""
    if len(comparison.objectives) < 2:
        return None
    first, second = comparison.objectives[:2]
    figure = blank(
        height=460,
        xaxis={"title": {"text": plain(label_of(first.property, with_unit=True))}},
        yaxis={"title": {"text": plain(label_of(second.property, with_unit=True))}},
    )
    for i, group in enumerate(comparison.groups):
        for j, run in enumerate(group.runs):
            front = sorted(label.utilities or () for label in run.front)
            figure.add_scatter(
                x=[shown_value(first, u[0]) for u in front],
                y=[shown_value(second, u[1]) for u in front],
                mode="lines+markers" if len(comparison.objectives) == 2 else "markers",
                name=plain(group.name),
                legendgroup=group.name,
                showlegend=j == 0,
                line={"width": 1, **line_style(i, COLOURS)},
                marker={"size": 6, "color": _colour(i)},
                text=[plain(f"{group.name}, seed {run.seed}")] * len(front),
                hovertemplate="%{text}<br>%{x:.5g}, %{y:.5g}<extra></extra>",
            )
    more = ""
    if len(comparison.objectives) > 2:
        more = " Of the objectives the first two are drawn; the fronts are those of all."
    return finished(
        figure,
        id="front-figure",
        alt=f"Pareto fronts of {_names(comparison)}",
        caption=f"Feasible labels that no other of the same run dominates.{more}",
    )


def acceleration_figure(comparison: Comparison, curves: Sequence[FactorCurves]) -> Figure:
    """Draw acceleration factors against the target."""
    progress = comparison.progress
    figure = blank(
        height=360,
        xaxis={"title": {"text": f"target: {progress.label}"}},
        yaxis={"title": {"text": "acceleration factor AF"}, "type": "log"},
        showlegend=True,  # Plotly names no single curve otherwise
    )
    for i, each in enumerate(curves):
        known = [a for a in each.accelerations if a.factor is not None]
        figure.add_scatter(
            x=[progress.shown(a.target) for a in known],
            y=[a.factor for a in known],
            mode="lines+markers",
            name=plain(f"{each.name} over {each.baseline}"),
            line=line_style(i, COLOURS),
            marker={
                "size": 7,
                "symbol": ["triangle-up-open" if a.is_bound else "circle" for a in known],
            },
        )
    _level(figure, 1.0, "")
    return finished(
        figure,
        id="acceleration",
        alt="acceleration factor against the target",
        caption="Labels that the baseline needs to reach a target over the labels needed here, "
        "medians over seeds. Triangles: the baseline never reaches it, and this is a lower bound.",
    )


def enhancement_figure(comparison: Comparison, curves: Sequence[FactorCurves]) -> Figure:
    """Draw enhancement factors by best values against the number of labels."""
    figure = blank(
        height=360,
        xaxis={"title": {"text": LABELS}},
        yaxis={"title": {"text": "enhancement factor EF"}},
        showlegend=True,
    )
    for i, each in enumerate(curves):
        figure.add_scatter(
            x=list(range(1, len(each.enhancements) + 1)),
            y=list(each.enhancements),
            mode="lines",
            name=plain(f"{each.name} over {each.baseline}"),
            line={"shape": "hv", **line_style(i, COLOURS)},
        )
    _level(figure, 1.0, "")
    return finished(
        figure,
        id="enhancement",
        alt="enhancement factor against the number of labels",
        caption=f"Best {comparison.progress.name} over the baseline's after as many labels; more "
        "than one is better, whatever the goal.",
    )


def _against_labels(
    comparison: Comparison, value: Callable[[Curve], Curve], title: str
) -> go.Figure:
    figure = blank(
        height=440,
        xaxis={"title": {"text": LABELS}},
        yaxis={"title": {"text": plain(title)}},
        hovermode="x unified",
    )
    for i, group in enumerate(comparison.groups):
        _add_group(figure, i, group, value, comparison.band)
    return figure


def _add_group(
    figure: go.Figure, i: int, group: GroupProgress, value: Callable[[Curve], Curve], band: Band
) -> None:
    colour, name = _colour(i), plain(group.name)
    line = {"shape": "hv", **line_style(i, COLOURS)}
    shared = {"mode": "lines", "legendgroup": name, "hoverinfo": "skip", "showlegend": False}
    if len(group.runs) > 1:
        for curve in group.curves:
            x, y = _points(value(curve))
            figure.add_scatter(x=x, y=y, line=line | {"width": 0.7}, opacity=0.45, **shared)
        ends = [value(group.band.low), value(group.band.high)]
        known = np.isfinite(ends).all(axis=0)
        numbers = (np.flatnonzero(known) + 1).tolist()
        for edge, fill in zip(ends, (None, "tonexty"), strict=True):
            figure.add_scatter(
                x=numbers,
                y=edge[known].tolist(),
                line={"shape": "hv", "width": 0},
                fill=fill,
                fillcolor=f"rgba({_channels(colour)},0.15)",
                **shared,
            )
    x, y = _points(value(group.band.middle))
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        name=name,
        legendgroup=name,
        line=line | {"width": 2.4},
        hovertemplate="%{y:.6g}",
    )


def _points(curve: Curve) -> tuple[list[int], list[float]]:
    known = np.isfinite(curve)
    return (np.flatnonzero(known) + 1).tolist(), curve[known].tolist()


def _level(figure: go.Figure, value: float, text: str) -> None:
    figure.add_hline(y=value, line={"width": 1, "dash": "dash", "color": QUIET})
    if text:
        figure.add_annotation(
            x=0, xref="paper", y=value, text=text, showarrow=False, xanchor="left", yanchor="bottom"
        )


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _channels(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


def _names(comparison: Comparison) -> str:
    return plain(", ".join(group.name for group in comparison.groups))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
