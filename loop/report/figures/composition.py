"""The figure of composition space: where the campaign measured, and what it found there."""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.figures.style import (
    INK,
    QUIET,
    SEQUENTIAL,
    SKY,
    Figure,
    blank,
    finished,
    points,
    ring,
)
from alloop.loop.report.figures.triangle import Triangle
from alloop.loop.report.words import label_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, measured_trials
from alloop.materials import fractions_in
from alloop.space import Space

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross")
PANELS_PER_ROW = 3
MOST_PANELS = 9
"""Most elements that have a panel each."""


@dataclass(frozen=True)
class CompositionPoint:
    """Measured candidate as a point in composition space."""

    trial: Trial
    percent: Mapping[str, float]
    """Composition in at.%, by element."""
    value: float
    """Value of the first objective, in its unit."""
    rank: tuple[bool, float]
    """Rank by utility; the better, the higher."""

    @property
    def is_feasible(self) -> bool:
        """Whether it meets every constraint."""
        return self.rank[0]


def composition_figure(state: CampaignState, store: ArtifactStore) -> Figure | None:
    """Draw the first objective over composition: a triangle for three elements, and one panel
    per element otherwise. None for one element, or without a successful measurement.
    """
    spots = composition_points(state, store)
    elements = state.spec.space.elements
    if not spots or len(elements) == 1:
        return None
    if len(elements) == 3:
        figure = _triangle(state, spots)
        shape = "composition triangle"
    else:
        figure = _panels(state, spots)
        shape = "fraction of each element" if len(elements) > 2 else f"fraction of {elements[0]}"
    name = label_of(state.spec.objectives[0].property)
    return finished(
        figure,
        id="composition",
        alt=f"{name} over the {shape} of {len(spots)} measured candidates",
        caption=_caption(state, spots),
    )


def _caption(state: CampaignState, spots: Sequence[CompositionPoint]) -> str:
    sentences = ["Axes in at.%."] if len(state.spec.space.elements) == 3 else []
    n = len(state.spec.space.elements)
    if n > MOST_PANELS:
        sentences.append(f"Of {n} elements the {MOST_PANELS} that the measured hold most of.")
    sentences.append("Ringed: the best.")
    if not all(spot.is_feasible for spot in spots):
        sentences.append("Hollow: outside the constraints.")
    if any(state.spec.space.bounds(el) != (0, 1) for el in state.spec.space.elements):
        sentences.append("Shaded: what the campaign may propose.")
    if any(spot.trial.decision.lattice for spot in spots):
        sentences.append("Orderings of one composition lie on one another, the best on top.")
    return " ".join(sentences)


def composition_points(state: CampaignState, store: ArtifactStore) -> list[CompositionPoint]:
    """Return the measured candidates of tier 0, best last so that it is drawn on top."""
    first = state.spec.objectives[0].property
    spots = []
    for trial in measured_trials(state):
        if trial.answer is None:
            continue
        fractions = fractions_in(json.loads(store.get(trial.decision.candidate)))
        properties = trial.answer.properties
        spots.append(
            CompositionPoint(
                trial,
                {symbol: 100 * x for symbol, x in fractions.items()},
                properties[first],
                state.utility.rank(properties),
            )
        )
    return sorted(spots, key=lambda spot: spot.rank)


def _triangle(state: CampaignState, spots: Sequence[CompositionPoint]) -> go.Figure:
    space = state.spec.space
    lows = tuple(100 * space.bounds(symbol)[0] for symbol in space.elements)
    if sum(lows) > 99.9:  # one composition alone is allowed: the whole triangle shows where it lies
        lows = (0.0, 0.0, 0.0)
    triangle = Triangle(tuple(space.elements), lows)
    figure = triangle.figure(
        height=600,
        coloraxis=colour_axis(state, spots),
        margin={"l": 8, "r": 8, "t": 44, "b": 84},
        legend={"yref": "container", "y": 1, "yanchor": "top"},
    )
    corners = allowed_polygon(space)
    if corners:
        figure.add_scatter(
            **triangle.places([*corners, corners[0]]),
            mode="lines",
            line={"color": QUIET, "width": 1, "dash": "dot"},
            fill="toself",
            fillcolor="rgba(86, 180, 233, 0.08)",
            hoverinfo="skip",
            name="allowed",
        )
    for settings, mine in _by_lattice(state, spots):
        figure.add_scatter(**triangle.places([spot.percent for spot in mine]), **settings)
        figure.add_scatter(x=[None], y=[None], **_legend_entry(settings))
    figure.add_scatter(
        **triangle.places([spots[-1].percent]), **ring(spots[-1].trial, state.utility)
    )
    return figure


def allowed_polygon(space: Space) -> list[dict[str, float]]:
    """Return the corners of what the fraction bounds of three elements allow, in at.%, in order
    around it; empty where nothing is bounded.
    """
    if all(space.bounds(symbol) == (0, 1) for symbol in space.elements):
        return []
    corners = []
    for free in space.elements:
        others = [symbol for symbol in space.elements if symbol != free]
        for fixed in itertools.product(*(space.bounds(symbol) for symbol in others)):
            rest = 1 - sum(fixed)
            low, high = space.bounds(free)
            if low - 1e-9 <= rest <= high + 1e-9:
                corner = dict(zip(others, fixed, strict=True)) | {free: rest}
                corners.append({symbol: round(100 * x, 6) for symbol, x in corner.items()})
    first, second, _ = space.elements
    middle = {s: sum(corner[s] for corner in corners) / len(corners) for s in space.elements}
    unique = {tuple(sorted(corner.items())): corner for corner in corners}
    return sorted(
        unique.values(),
        key=lambda corner: math.atan2(
            # The triangle's own plane: skewed axes would still order the corners rightly.
            corner[first] - middle[first],
            corner[second] - middle[second],
        ),
    )


def _panels(state: CampaignState, spots: Sequence[CompositionPoint]) -> go.Figure:
    """Draw the objective against each element's fraction; two elements need one panel."""
    space = state.spec.space
    shown = _panel_elements(space, spots)
    columns = min(PANELS_PER_ROW, len(shown))
    rows = -(-len(shown) // columns)
    base = blank(
        height=150 + 270 * rows,
        coloraxis=colour_axis(state, spots),
        margin={"l": 60, "r": 16, "t": 36, "b": 120},
    )
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        vertical_spacing=min(0.22, 0.44 / rows),
        figure=base,
    )
    for place, symbol in enumerate(shown):
        where = {"row": place // columns + 1, "col": place % columns + 1}
        low, high = space.bounds(symbol)
        if (low, high) != (0, 1):
            figure.add_vrect(
                x0=100 * low, x1=100 * high, fillcolor=SKY, opacity=0.08, line_width=0, **where
            )
        for settings, mine in _by_lattice(state, spots):
            _add_panel(figure, symbol, mine, settings, where)
            if place == 0:
                figure.add_scatter(x=[None], y=[None], **_legend_entry(settings), **where)
        _add_panel(
            figure,
            symbol,
            spots[-1:],
            ring(spots[-1].trial, state.utility) | {"showlegend": place == 0},
            where,
        )
        text = f"{symbol} (at.%)"
        if len(space.elements) == 2:
            text += f", the rest {space.elements[1]}"
        figure.update_xaxes(title_text=text, **where)
    title = label_of(state.spec.objectives[0].property, with_unit=True)
    figure.update_yaxes(title_text=title, col=1)
    return figure


def _panel_elements(space: Space, spots: Sequence[CompositionPoint]) -> list[str]:
    """Return the elements that have a panel: of two the first, of many those that the measured
    hold most of, in the order of the space."""
    if len(space.elements) == 2:
        return list(space.elements[:1])
    held = {s: sum(spot.percent.get(s, 0.0) for spot in spots) for s in space.elements}
    most = sorted(space.elements, key=lambda symbol: -held[symbol])[:MOST_PANELS]
    return [symbol for symbol in space.elements if symbol in most]


def _add_panel(
    figure: go.Figure,
    symbol: str,
    spots: Sequence[CompositionPoint],
    settings: dict[str, Any],
    where: dict[str, int],
) -> None:
    figure.add_scatter(
        x=[spot.percent.get(symbol, 0.0) for spot in spots],
        y=[spot.value for spot in spots],
        **settings,
        **where,
    )


def _by_lattice(
    state: CampaignState, spots: Sequence[CompositionPoint]
) -> list[tuple[dict[str, Any], list[CompositionPoint]]]:
    """Return trace settings and points per lattice, the infeasible ones hollow and below."""
    lattices = sorted({spot.trial.decision.lattice or "" for spot in spots})
    found = []
    for feasible in (False, True):
        for lattice, symbol in zip(lattices, itertools.cycle(SYMBOLS)):
            mine = [
                spot
                for spot in spots
                if (spot.trial.decision.lattice or "") == lattice and spot.is_feasible is feasible
            ]
            if not mine:
                continue
            settings = points([spot.trial for spot in mine], state.utility) | {
                "name": (lattice or "measured") + ("" if feasible else ", outside"),
                "legendgroup": f"{lattice} {feasible}",
                "showlegend": False,
                "marker": {
                    "symbol": symbol if feasible else f"{symbol}-open",
                    "size": 8,
                    "color": [spot.value for spot in mine],
                    "coloraxis": "coloraxis",
                    "line": {"width": 0.5, "color": "#ffffff"} if feasible else {"width": 1.4},
                },
            }
            found.append((settings, mine))
    return found


def _legend_entry(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of an empty trace that stands in the legend for one whose points all
    have colours of their own.
    """
    marker = {"symbol": settings["marker"]["symbol"], "size": 8, "color": INK}
    return {
        "name": settings["name"],
        "legendgroup": settings["legendgroup"],
        "mode": "markers",
        "marker": marker,
    }


def colour_axis(state: CampaignState, spots: Sequence[CompositionPoint]) -> dict[str, Any]:
    """Return the colour axis of the first objective, its bar lying below."""
    values = [spot.value for spot in spots]
    return {
        "colorscale": SEQUENTIAL,
        "cmin": min(values),
        "cmax": max(values),
        "colorbar": {
            "title": {
                "text": label_of(state.spec.objectives[0].property, with_unit=True),
                "side": "bottom",
                "font": {"size": 12, "color": INK},
            },
            "orientation": "h",
            "thickness": 10,
            "len": 0.6,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "outlinewidth": 0,
            "tickfont": {"size": 11},
        },
    }
