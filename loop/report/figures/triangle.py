"""A composition triangle in an ordinary plane: axes, grid and the place of each composition.

Plotly's own ternary axes would bring more code into the page than all other figures together.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from alloop.loop.report.figures.style import INK, QUIET, RULE, blank

HEIGHT = math.sqrt(3) / 2
"""Height of a triangle whose edges are 1 long."""
FEWEST_STEPS = 4
STEPS = (50.0, 25.0, 20.0, 10.0, 5.0, 2.0, 1.0)
"""Distances of the grid's lines that are thought of, at.%."""
TICK = 0.035
"""Distance of a number from its edge, in edge lengths."""


@dataclass(frozen=True)
class Triangle:
    """Compositions of three elements: the first at the top, the second left, the third right."""

    elements: tuple[str, ...]
    lows: tuple[float, ...] = (0.0, 0.0, 0.0)
    """At.% of each element on the edge opposite its corner."""

    @property
    def extent(self) -> float:
        """At.% from an edge to the corner opposite."""
        return 100 - sum(self.lows)

    def places(self, compositions: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
        """Return x and y of compositions in at.% by element."""
        points = [
            self._place([c.get(symbol, 0.0) for symbol in self.elements]) for c in compositions
        ]
        return {"x": [x for x, _ in points], "y": [y for _, y in points]}

    def figure(self, *, height: int, **layout: Any) -> go.Figure:
        """Return an empty figure with the triangle's edges, grid and numbers."""
        # A figure is about 30 of its own numbers high, which stand outside the triangle.
        figure = blank(
            height=height,
            xaxis={"visible": False, "range": [-0.11, 1.11], "constrain": "domain"},
            yaxis={
                "visible": False,
                "range": [-0.11, HEIGHT + 0.09],
                "scaleanchor": "x",
                "constrain": "domain",
            },
            hovermode="closest",
            annotations=[*self._numbers(), *self._corners()],
            **layout,
        )
        for lines, colour in ((self._grid(), RULE), (self._edges(), QUIET)):
            figure.add_scatter(
                x=[None if point is None else point[0] for point in lines],
                y=[None if point is None else point[1] for point in lines],
                mode="lines",
                line={"color": colour, "width": 1},
                hoverinfo="skip",
                showlegend=False,
            )
        return figure

    def _place(self, percent: Sequence[float]) -> tuple[float, float]:
        top, _, right = ((x - low) / self.extent for x, low in zip(percent, self.lows, strict=True))
        return right + top / 2, HEIGHT * top

    def _ticks(self, element: int) -> list[float]:
        """Return the at.% of an element at which grid lines are drawn."""
        step = next((s for s in STEPS if self.extent / s >= FEWEST_STEPS), STEPS[-1])
        low = self.lows[element]
        first = math.floor(low / step) + 1
        return [k * step for k in range(first, math.ceil((low + self.extent) / step))]

    def _on_edge(self, element: int, value: float, empty: int) -> tuple[float, float]:
        """Return where an element has a value on the edge on which another is at its lowest."""
        percent = list(self.lows)
        percent[element] = value
        other = 3 - element - empty
        percent[other] = self.lows[other] + self.extent - (value - self.lows[element])
        return self._place(percent)

    def _grid(self) -> list[tuple[float, float] | None]:
        lines: list[tuple[float, float] | None] = []
        for element in range(3):
            one, other = (i for i in range(3) if i != element)
            for value in self._ticks(element):
                ends = self._on_edge(element, value, one), self._on_edge(element, value, other)
                lines += [*ends, None]
        return lines

    def _edges(self) -> list[tuple[float, float] | None]:
        corners: list[tuple[float, float] | None] = [(0.0, 0.0), (1.0, 0.0), (0.5, HEIGHT)]
        return [*corners, corners[0]]

    def _numbers(self) -> list[dict[str, Any]]:
        """Return each element's numbers along the edge that leads up to its corner, the way round
        against the clock: the first on the right edge, the second on the left, the third below."""
        outward = ((math.cos(math.pi / 6), 0.5), (-math.cos(math.pi / 6), 0.5), (0.0, -1.0))
        numbers = []
        for element, empty in ((0, 1), (1, 2), (2, 0)):
            for value in self._ticks(element):
                x, y = self._on_edge(element, value, empty)
                dx, dy = outward[element]
                numbers.append(_text(f"{value:g}", x + TICK * dx, y + TICK * dy, 11, QUIET))
        return numbers

    def _corners(self) -> list[dict[str, Any]]:
        top, left, right = self.elements
        return [
            _text(f"<b>{top}</b>", 0.5, HEIGHT + 0.05, 14, INK),
            _text(f"<b>{left}</b>", -0.05, -0.05, 14, INK),
            _text(f"<b>{right}</b>", 1.05, -0.05, 14, INK),
        ]


def _text(text: str, x: float, y: float, size: int, colour: str) -> dict[str, Any]:
    font = {"size": size, "color": colour}
    return {"text": text, "x": round(x, 4), "y": round(y, 4), "showarrow": False, "font": font}
