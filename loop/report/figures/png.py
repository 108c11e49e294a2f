"""Figures of points and bars as pictures, for slides and papers."""

import io
import re
from pathlib import Path
from typing import Any

from alloop.durable import write_durably
from alloop.loop.report.figures.style import BLUE, SEQUENTIAL, Figure

WIDTH, DPI = 7.0, 200
"""Width in inches, and dots per inch."""
_PIXELS_PER_INCH = 96
"""CSS pixels per inch: a picture is as high as the page's figure."""
_MARKERS = {"circle": "o", "circle-open": "o"}


def write_png(figure: Figure, path: Path) -> None:
    """Write a figure whose traces are points or horizontal bars.

    Raises:
        RunError: if the file cannot be written.
    """
    from matplotlib.figure import Figure as Picture  # noqa: PLC0415 (a second)

    picture = Picture(figsize=(WIDTH, figure.height / _PIXELS_PER_INCH), dpi=DPI, layout="tight")
    axes, layout = picture.subplots(), figure.spec["layout"]
    drawn = None
    for trace in figure.spec["data"]:
        if trace["type"] == "bar":
            axes.barh(
                trace["y"],
                trace["x"],
                left=trace.get("base"),
                color=trace["marker"]["color"],
                xerr=trace.get("error_x", {}).get("array"),
                ecolor="gray",
            )
        else:
            drawn = _points(axes, trace) or drawn
    for name, label, ticks in (
        ("xaxis", axes.set_xlabel, axes.set_xticks),
        ("yaxis", axes.set_ylabel, axes.set_yticks),
    ):
        settings = layout.get(name, {})
        label(_plain(settings.get("title", {}).get("text") or ""))
        if settings.get("ticktext"):
            ticks(list(settings["tickvals"]), [_plain(text) for text in settings["ticktext"]])
    if (bar := layout.get("coloraxis", {}).get("colorbar")) and drawn is not None:
        picture.colorbar(drawn, ax=axes, label=_plain(bar["title"]["text"]))
    if axes.get_legend_handles_labels()[1] and layout.get("showlegend") is not False:
        axes.legend(fontsize="small", frameon=False)
    content = io.BytesIO()
    # Without the version and the date: the same figure is the same file.
    picture.savefig(content, format="png", metadata={"Software": None})
    write_durably(path, content.getvalue(), is_shared=True)


def _points(axes: Any, trace: dict[str, Any]) -> Any:
    """Draw a trace of points; return what a colour bar is made from, where colours are values."""
    if list(trace["x"]) == [None]:
        return None
    marker = trace["marker"]
    colour, symbol = marker["color"], marker.get("symbol", "circle")
    has_values = not isinstance(colour, str)
    settings: dict[str, Any] = {"marker": _MARKERS[symbol], "s": marker.get("size", 6) ** 2 / 2}
    if symbol == "circle-open" and not has_values:
        settings |= {"facecolors": "none", "edgecolors": colour}
    elif has_values:
        settings |= {"c": colour, "cmap": SEQUENTIAL.lower()}
    else:
        settings |= {"c": colour or BLUE}
    label = _plain(trace.get("name") or "")
    is_named = bool(label) and trace.get("showlegend") is not False
    found = axes.scatter(trace["x"], trace["y"], label=label if is_named else None, **settings)
    return found if has_values else None


def _plain(text: str) -> str:
    """Return a label of the page without its markup, and without what TeX would read."""
    return re.sub(r"<[^>]*>", "", str(text)).replace("$", r"\$")
