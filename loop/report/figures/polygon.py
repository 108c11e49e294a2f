"""Compositions of more than three elements in a polygon: each lies at the mean of the corners,
weighted by its fractions. Different compositions may fall on one place."""

import math
from collections.abc import Sequence

from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.figures.composition import (
    CompositionPoint,
    colour_axis,
    composition_points,
    ring,
)
from alloop.loop.report.figures.style import INK, QUIET, Figure, blank, finished, points
from alloop.loop.report.words import label_of
from alloop.loop.state.campaign_state import CampaignState

FEWEST = 4
"""Fewest elements that a polygon is drawn for; three have their triangle."""


def polygon_figure(state: CampaignState, store: ArtifactStore) -> Figure | None:
    """Draw every measured composition in a polygon; None for three elements or fewer, or without
    a successful measurement."""
    elements = state.spec.space.elements
    spots = composition_points(state, store) if len(elements) >= FEWEST else []
    if not spots:
        return None
    corners = [(math.sin(turn), math.cos(turn)) for turn in _turns(len(elements))]
    figure = blank(
        height=560,
        coloraxis=colour_axis(state, spots),
        xaxis={"visible": False, "range": [-1.2, 1.2], "constrain": "domain"},
        yaxis={
            "visible": False,
            "range": [-1.2, 1.2],
            "scaleanchor": "x",
            "constrain": "domain",
        },
        margin={"l": 8, "r": 8, "t": 8, "b": 84},
        showlegend=False,
        hovermode="closest",
        annotations=[
            {
                "text": f"<b>{symbol}</b>",
                "x": round(1.09 * x, 4),
                "y": round(1.09 * y, 4),
                "showarrow": False,
                "font": {"size": 14, "color": INK},
            }
            for symbol, (x, y) in zip(elements, corners, strict=True)
        ],
    )
    figure.add_scatter(
        x=[x for x, _ in [*corners, corners[0]]],
        y=[y for _, y in [*corners, corners[0]]],
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
    figure.add_scatter(x=[x], y=[y], **ring(state, spots[-1]))
    name = label_of(state.spec.objectives[0].property)
    return finished(
        figure,
        id="polygon",
        alt=f"{name} of {len(spots)} measured compositions in a polygon of {len(elements)} corners",
        caption="Each composition lies at the mean of the corners, weighted by its fractions; "
        "different ones may fall on one place. Ringed: the best.",
    )


def _turns(n: int) -> Sequence[float]:
    return [2 * math.pi * k / n for k in range(n)]
