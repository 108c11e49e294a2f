"""Compositions of more than three elements in a plane: each lies at the mean of the elements'
corners, weighted by its fractions. Different compositions may fall on one place.

Up to a dozen corners form a polygon; more lie where the two principal components of the measured
compositions place them.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.figures.composition import (
    CompositionPoint,
    colour_axis,
    composition_points,
)
from alloop.loop.report.figures.style import INK, QUIET, Figure, blank, finished, points, ring
from alloop.loop.report.words import label_of
from alloop.loop.state.campaign_state import CampaignState

MOST_CORNERS = 12
"""Most elements whose corners form a polygon, and most that are named in the plane."""
FEWEST = 4
"""Fewest elements that a polygon is drawn for; three have their triangle."""


Corner = tuple[float, float]


def polygon_figure(state: CampaignState, store: ArtifactStore) -> Figure | None:
    """Draw every measured composition between its elements' corners; None for three elements or
    fewer, or without a successful measurement."""
    elements = state.spec.space.elements
    spots = composition_points(state, store) if len(elements) >= FEWEST else []
    if not spots:
        return None
    is_polygon = len(elements) <= MOST_CORNERS
    corners = polygon_corners(len(elements)) if is_polygon else _principal_corners(elements, spots)
    reach = 1.2 * max(max(abs(x), abs(y)) for x, y in corners)
    figure = blank(
        height=560,
        coloraxis=colour_axis(state, spots),
        xaxis={"visible": False, "range": [-reach, reach], "constrain": "domain"},
        yaxis={
            "visible": False,
            "range": [-reach, reach],
            "scaleanchor": "x",
            "constrain": "domain",
        },
        margin={"l": 8, "r": 8, "t": 8, "b": 84},
        showlegend=False,
        hovermode="closest",
        annotations=_names(elements, corners),
    )
    outline = [*corners, corners[0]] if is_polygon else []
    figure.add_scatter(
        x=[x for x, _ in outline],
        y=[y for _, y in outline],
        mode="lines",
        line={"color": QUIET, "width": 1},
        hoverinfo="skip",
    )

    def place(spot: CompositionPoint) -> tuple[float, float]:
        shares = [spot.percent.get(symbol, 0.0) / 100 for symbol in elements]
        total = sum(shares) or 1.0
        return (
            sum(s * x for s, (x, _) in zip(shares, corners, strict=True)) / total,
            sum(s * y for s, (_, y) in zip(shares, corners, strict=True)) / total,
        )

    for feasible in (False, True):
        mine = [spot for spot in spots if spot.is_feasible is feasible]
        if mine:
            places = [place(spot) for spot in mine]
            figure.add_scatter(
                x=[x for x, _ in places],
                y=[y for _, y in places],
                marker={
                    "symbol": "circle" if feasible else "circle-open",
                    "size": 8,
                    "color": [spot.value for spot in mine],
                    "coloraxis": "coloraxis",
                },
                **points([spot.trial for spot in mine], state.utility),
            )
    x, y = place(spots[-1])
    figure.add_scatter(x=[x], y=[y], **ring(spots[-1].trial, state.utility))
    name = label_of(state.spec.objectives[0].property)
    how = "" if is_polygon else "The corners lie along the two principal components. "
    return finished(
        figure,
        id="polygon",
        alt=f"{name} of {len(spots)} measured compositions between the corners of {len(elements)} "
        "elements",
        caption="Each composition lies at the mean of its elements' corners, weighted by its "
        f"fractions; different ones may fall on one place. {how}Ringed: the best.",
    )


def polygon_corners(n: int) -> list[Corner]:
    """Return the corners of a regular polygon, the first at the top, the way round with the
    clock."""
    turns = [2 * math.pi * k / n for k in range(n)]
    return [(math.sin(turn), math.cos(turn)) for turn in turns]


def _principal_corners(elements: Sequence[str], spots: Sequence[CompositionPoint]) -> list[Corner]:
    """Return where each pure element lies along the two principal components of what was
    measured."""
    fractions = np.array([[s.percent.get(el, 0.0) / 100 for el in elements] for s in spots])
    _, _, axes = np.linalg.svd(fractions - fractions.mean(axis=0), full_matrices=False)
    if len(axes) < 2:  # a single composition has no extent
        return polygon_corners(len(elements))
    axes = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    return [(float(x), float(y)) for x, y in axes.T]


def _names(elements: Sequence[str], corners: Sequence[Corner]) -> list[dict[str, Any]]:
    """Return the names of the elements at their corners; of many, those farthest out."""
    far = sorted(range(len(elements)), key=lambda i: -math.hypot(*corners[i]))[:MOST_CORNERS]
    return [
        {
            "text": f"<b>{elements[i]}</b>",
            "x": round(1.09 * corners[i][0], 4),
            "y": round(1.09 * corners[i][1], 4),
            "showarrow": False,
            "font": {"size": 14, "color": INK},
        }
        for i in sorted(far)
    ]
