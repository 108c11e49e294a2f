"""The page's data in few bytes: each text stands once, and figures have the digits that one sees.

A measurement's hover text and id are wanted by half a dozen figures and the table, so that ten
thousand of them would fill the page. ``scripts/data.js`` puts everything back in place.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

DIGITS = 6
"""Significant digits of a figure's numbers: a screen shows four."""
_NUMBERS = ("x", "y", "a", "b", "c")
_BREAK = "<br>"


class Packing:
    """Texts met so far, each with its place in ``texts``; hover texts as places of their lines."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._hovers: dict[str, int] = {}
        self.hovers: list[list[int]] = []
        """Hover texts: places of their lines in ``texts``."""

    @property
    def texts(self) -> list[str]:
        """Every text, once."""
        return list(self._places)

    def column(self, cells: Sequence[Any]) -> Any:
        """Return a column of cells: as they are; where there are texts alone, as
        ``{"places": [place or null, …]}``; where most are missing, as ``{"at": [row, …],
        "values": [cell, …]}``."""
        if 2 * sum(cell is None for cell in cells) > len(cells):
            known = [(i, cell) for i, cell in enumerate(cells) if cell is not None]
            values = self.column([cell for _, cell in known]) if known else []
            if isinstance(values, list):
                return {"at": [i for i, _ in known], "values": values}
        if not all(cell is None or isinstance(cell, str) for cell in cells):
            return list(cells)
        return {"places": [None if cell is None else self._place(cell) for cell in cells]}

    def columns(self, columns: Sequence[Sequence[Any]]) -> list[Any]:
        """Return columns of cells; those with few different texts get the shortest places."""
        packed: dict[int, Any] = {}
        for i in sorted(range(len(columns)), key=lambda i: len(set(map(str, columns[i])))):
            packed[i] = self.column(columns[i])
        return [packed[i] for i in range(len(columns))]

    def figure(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return a figure, with ``customdata`` as a column and ``text`` as
        ``{"hover": [place in hovers, …]}``."""
        return {**spec, "data": [self._trace(trace) for trace in spec["data"]]}

    def _trace(self, trace: Mapping[str, Any]) -> dict[str, Any]:
        packed = {
            key: _rounded(value) if key in _NUMBERS else value for key, value in trace.items()
        }
        ids, texts, marker = trace.get("customdata"), trace.get("text"), trace.get("marker")
        if ids is not None and _are_texts(ids):
            packed["customdata"] = self.column(ids)
        if texts is not None and _are_texts(texts):
            packed["text"] = {"hover": [self._hover(text) for text in texts]}
        if isinstance(marker, Mapping) and _are_numbers(marker.get("color")):
            packed["marker"] = {**marker, "color": _rounded(marker["color"])}
        return packed

    def _place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    def _hover(self, text: str) -> int:
        place = self._hovers.setdefault(text, len(self._hovers))
        if place == len(self.hovers):
            self.hovers.append([self._place(line) for line in text.split(_BREAK)])
        return place


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, float | int) for each in value)


def _rounded(values: Any) -> Any:
    if not isinstance(values, Iterable) or isinstance(values, str | Mapping):
        return values
    return [float(f"{x:.{DIGITS}g}") if isinstance(x, float) else x for x in values]
