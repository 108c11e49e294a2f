"""The style that all figures share, and the record of a finished figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from alloop.loop.record.events import Stage
from alloop.loop.report.words import ID_DIGITS, label_of, subscripted, value_of
from alloop.loop.state.ranking.utility import Utility
from alloop.loop.state.trials import Trial

# The palette of Okabe and Ito, which people with any colour vision can tell apart
# (https://jfly.uni-koeln.de/color/), and greys.
BLUE, SKY, GREEN, ORANGE = "#0072B2", "#56B4E9", "#009E73", "#E69F00"
VERMILLION, PURPLE, YELLOW = "#D55E00", "#CC79A7", "#F0E442"
INK, QUIET, RULE = "#1f2328", "#6e7781", "#e4e7eb"

STAGE_COLOURS = {
    Stage.INITIAL: "#8c959f",
    Stage.ACQUISITION: BLUE,
    Stage.AUGMENTATION: ORANGE,
    Stage.PROMOTION: PURPLE,
    Stage.UNREQUESTED: GREEN,
}
STAGE_NAMES = {
    Stage.INITIAL: "initial, at random",
    Stage.ACQUISITION: "acquisition",
    Stage.AUGMENTATION: "local search",
    Stage.PROMOTION: "promotion",
    Stage.UNREQUESTED: "reported unasked",
}
SEQUENTIAL = "Cividis"
"""Colour scale, even in lightness and safe for colour-blind eyes
(doi:10.1371/journal.pone.0199239)."""

DARK: dict[str, Any] = {
    "colours": {
        "#ffffff": "#12161c",
        INK: "#e6e9ee",
        QUIET: "#98a2ad",
        RULE: "#2a3038",
        "#c9ced4": "#4a525c",
        "#b6bcc4": "#69727d",
        "#8c959f": "#8c959f",
        BLUE.lower(): "#4aa5e0",
        GREEN.lower(): "#2fbf95",
        VERMILLION.lower(): "#f07f35",
    },
    "colorscale": [[0, "#66728f"], [0.33, "#8b8a83"], [0.66, "#c0b26f"], [1, "#fee838"]],
}
"""Colours of a dark page in place of the light ones, in small letters. The scale is Cividis without
its dark end."""

DASHES = ("solid", "dash", "dot")

PADDING = 0.06
"""Share of the values' range that is left free on either side of them."""

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


@dataclass(frozen=True)
class Figure:
    """A drawn figure and the words under it."""

    id: str
    """Id of its element in the page."""
    alt: str
    """Alternative text: what it shows, for those who cannot see it."""
    caption: str
    spec: dict[str, Any]
    """Plotly's data and layout, as plain JSON values."""

    @property
    def height(self) -> int:
        """Height in CSS pixels."""
        return int(self.spec["layout"]["height"])


def blank(*, height: int, **layout: Any) -> go.Figure:
    """Return an empty figure in the report's look.

    Args:
        height: in CSS pixels; the width follows the page.
        layout: Plotly's layout settings.
    """
    axis = {
        "gridcolor": RULE,
        "linecolor": QUIET,
        "tickcolor": QUIET,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 8},
    }
    defaults: dict[str, Any] = {
        "template": {"layout": {"xaxis": axis, "yaxis": axis}},
        "height": height,
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "margin": {"l": 60, "r": 16, "t": 36, "b": 48},
        "hoverlabel": {
            "bgcolor": "#ffffff",
            "bordercolor": QUIET,
            "align": "left",
            "font": {"family": FONT, "size": 12, "color": INK},
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
    }
    return go.Figure(layout=defaults).update_layout(**layout)


def agreement(
    first: Sequence[float], second: Sequence[float], titles: tuple[str, str], *, height: int
) -> go.Figure:
    """Return an empty square figure for values against others of the same, with the diagonal.

    Args:
        first: values along x.
        second: values along y.
        titles: of the two axes.
        height: in CSS pixels.
    """
    low, high = min(*first, *second), max(*first, *second)
    pad = PADDING * (high - low) or 1.0
    ends = [low - pad, high + pad]
    axis = {"range": ends, "constrain": "domain"}
    figure = blank(
        height=height,
        showlegend=False,
        xaxis=axis | {"title": {"text": titles[0]}},
        yaxis=axis | {"title": {"text": titles[1]}, "scaleanchor": "x"},
        margin={"l": 60, "r": 16, "t": 16, "b": 48},
    )
    figure.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": QUIET, "width": 1, "dash": "dash"},
        hoverinfo="skip",
    )
    return figure


def finished(figure: go.Figure, *, id: str, alt: str, caption: str) -> Figure:
    """Return a figure ready for the page."""
    return Figure(id, alt, caption, figure.to_plotly_json())


def plain(text: str) -> str:
    """Return untrusted text for Plotly, which reads some HTML in labels."""
    return escape(text)


def hover(trial: Trial, utility: Utility) -> str:
    """Return the hover text of a point."""
    decision, proposal = trial.decision, trial.proposal
    lattice = f" · {decision.lattice}" if decision.lattice else ""
    lines = [
        f"<b>{subscripted(decision.formula)}{plain(lattice)}</b>",
        f"{decision.candidate[:ID_DIGITS]} · round {proposal.round}, {STAGE_NAMES[proposal.stage]}",
    ]
    if trial.answer is None:
        failure = trial.measured.failure_kind if trial.measured else None
        lines.append(f"failed: {failure.value}" if failure else "not measured")
        return "<br>".join(lines)
    properties = trial.answer.properties
    lines += [
        f"{label_of(name)} {value_of(name, properties[name])}"
        for name in utility.spec.property_names()
    ]
    if not utility.is_feasible(properties):
        lines.append("outside the constraints")
    return "<br>".join(lines)


def line_style(place: int, colours: Sequence[str]) -> dict[str, str]:
    """Return colour and dash of one of several lines; another dash begins where the colours are
    used up."""
    return {
        "color": colours[place % len(colours)],
        "dash": DASHES[place // len(colours) % len(DASHES)],
    }


def ring(trial: Trial, utility: Utility) -> dict[str, Any]:
    """Return the settings of the ring around the best."""
    return points([trial], utility) | {
        "name": "best",
        "marker": {
            "symbol": "circle-open",
            "size": 17,
            "color": VERMILLION,
            "line": {"width": 2.5, "color": VERMILLION},
        },
    }


def points(trials: list[Trial], utility: Utility) -> dict[str, Any]:
    """Return the settings that give a trace's points their hover text and, for the click that
    leads to the decision, their candidate's id.
    """
    return {
        "text": [hover(trial, utility) for trial in trials],
        "customdata": [trial.decision.candidate for trial in trials],
        "hovertemplate": "%{text}<extra></extra>",
        "mode": "markers",
    }
