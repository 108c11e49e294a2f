"""The stability of the candidates: the convex hull of each tier, beside one another."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from pymatgen.core import Composition

from alloop.loop.record.events import Measured
from alloop.loop.report.figures.style import (
    INK,
    QUIET,
    SEQUENTIAL,
    VERMILLION,
    Figure,
    blank,
    finished,
    plain,
    points,
)
from alloop.loop.report.figures.triangle import Triangle
from alloop.loop.report.tables import ReportTable, oracle_name
from alloop.loop.report.words import ID_DIGITS, label_of, value_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.hull import DRAWN_ELEMENTS, Hull, Phase
from alloop.loop.state.trials import Trial, measured_trials
from alloop.properties import ENERGY_ABOVE_HULL

ENERGY = "formation_energy_per_atom"
COMPETING = "energy_above_competing_phase"
MAX_ROWS = 12
SAME = 1e-6
"""Difference of energies that counts as none, eV/atom."""
COLOUR_TITLE = "energy above hull (eV/atom)"


def hull_figures(state: CampaignState) -> list[Figure]:
    """Draw the hull of each tier that measured formation energies, for two or three elements;
    of more, the note under ``hull_table`` says what is shown instead.

    The colours mean the same in all of them; what a higher tier has measured is ringed in all.
    """
    found = [
        (tier, hull)
        for tier, hull in enumerate(state.hulls)
        if hull is not None and len(hull.elements) in DRAWN_ELEMENTS
    ]
    highest = max((max(hull.energies_above.values()) for _, hull in found), default=0.0)
    return [_figure(state, tier, hull, highest) for tier, hull in found]


def hull_table(state: CampaignState) -> ReportTable | None:
    """Return the stability of the promoted candidates by every tier: formation energy, energy above
    the tier's hull, and what they decompose into; the best and the hull's stable phases where
    nothing was promoted. None without formation energies."""
    hulls = state.hulls
    if not any(hulls):
        return None
    shown = _shown(state)
    tiers = range(len(hulls))
    answers = [{m.candidate: m for m in state.answers(tier)} for tier in tiers]
    competing = [
        tier for tier in tiers if any(COMPETING in m.properties for m in answers[tier].values())
    ]
    rows = []
    for candidate in shown:
        decision = state.decisions[candidate]
        cells = [decision.formula, decision.lattice or "", candidate[:ID_DIGITS]]
        for tier in tiers:
            own = answers[tier].get(candidate)
            cells += _energies(hulls[tier], candidate, decision.formula, own)
        for tier in competing:
            m = answers[tier].get(candidate)
            value = None if m is None else m.properties.get(COMPETING)
            cells.append("" if value is None else value_of(COMPETING, value, with_unit=False))
        rows.append(tuple(cells))
    heads = [
        head
        for tier in tiers
        for head in (f"formation energy, tier {tier}", f"above hull, tier {tier}", "falls into")
    ]
    heads += [f"above the other lattice, tier {tier}" for tier in competing]
    numeric = [3 + 3 * tier + k for tier in tiers for k in (0, 1)]
    numeric += [3 + 3 * len(hulls) + i for i in range(len(competing))]
    return ReportTable(
        ("formula", "lattice", "candidate", *heads),
        tuple(rows),
        numeric=tuple(numeric),
        note=_note(hulls, has_competing=bool(competing)),
    )


def _note(hulls: Sequence[Hull | None], *, has_competing: bool) -> str:
    note = (
        "Energies in eV/atom. Each tier has its own hull: of everything it measured in this "
        "campaign and of the elements in their reference crystals, so that a tier that measured "
        "more phases may put a candidate higher."
    )
    n_elements = max(len(hull.elements) for hull in hulls if hull is not None)
    if n_elements > max(DRAWN_ELEMENTS):
        note += (
            f" A hull of {n_elements} elements cannot be drawn. This table stands in its place: "
            "each energy above the hull follows from the phases of the material's own elements."
        )
    if has_competing:
        note += (
            " The other lattice: the same composition on the other of fcc and bcc; negative "
            "where the candidate is the stable one of the two."
        )
    return note


def _shown(state: CampaignState) -> list[str]:
    """Return the candidates of the table, best first."""
    utility = state.utility
    ranked = sorted(state.answers(), key=lambda m: utility.rank(m.properties), reverse=True)
    promoted = {e.candidate for e in state.evaluations if e.tier > 0}
    shown = [m.candidate for m in ranked if m.candidate in promoted]
    if not shown:
        corners = [phase.candidate for hull in state.hulls if hull for phase in hull.stable_phases]
        best = [m.candidate for m in ranked[:3]]
        shown = [*best, *(c for c in corners if c is not None and c not in best)]
    return shown[:MAX_ROWS]


def _energies(
    hull: Hull | None, candidate: str, formula: str, answer: Measured | None
) -> tuple[str, str, str]:
    """Return formation energy, energy above the hull, and what the candidate falls into.

    An oracle that computes ordered binaries of its own may know of a lower hull than the one of
    what the campaign measured; the higher of the two energies is nearer the truth.
    """
    phase = None if hull is None else hull.phase(candidate)
    if hull is None or phase is None:
        return "", "", ""
    above = hull.energies_above[candidate]
    by_oracle = above if answer is None else answer.properties.get(ENERGY_ABOVE_HULL, above)
    if by_oracle > above + SAME:
        return (
            value_of(ENERGY, phase.formation_energy, with_unit=False),
            value_of(ENERGY, by_oracle, with_unit=False),
            "ordered binaries",
        )
    parts = hull.decomposition(formula)
    return (
        value_of(ENERGY, phase.formation_energy, with_unit=False),
        value_of(ENERGY, above, with_unit=False),
        " + ".join(f"{100 * share:.0f} % {_name(part)}" for part, share in parts)
        if above > 0
        else "stable",
    )


def _name(phase: Phase) -> str:
    return str(Composition(phase.formula).reduced_formula)


def _figure(state: CampaignState, tier: int, hull: Hull, highest: float) -> Figure:
    trials = [
        trial
        for trial in measured_trials(state, tier)
        if trial.answer is not None and trial.decision.candidate in hull.energies_above
    ]
    # The stable ones last, so that they are drawn on top.
    trials.sort(key=lambda trial: -hull.energies_above[trial.decision.candidate])
    draw = _triangle if len(hull.elements) == 3 else _line
    stable = sum(phase.candidate is not None for phase in hull.stable_phases)
    return finished(
        draw(state, hull, trials, highest),
        id=f"hull-{tier}",
        alt=f"convex hull of tier {tier}: {len(trials)} measured, {stable} of them stable",
        caption=f"Tier {tier}: {oracle_name(state, tier)}. {len(trials)} measured; on the hull "
        f"{_corner_names(hull)}.",
    )


def _corner_names(hull: Hull) -> str:
    own = [_name(phase) for phase in hull.stable_phases if phase.candidate is not None]
    if not own:
        return "lie the elements alone"
    return ", ".join(own[:6]) + (f" and {len(own) - 6} more" if len(own) > 6 else "")


def _triangle(
    state: CampaignState, hull: Hull, trials: Sequence[Trial], highest: float
) -> go.Figure:
    triangle = Triangle(hull.elements)
    figure = triangle.figure(
        height=470,
        coloraxis=_coloraxis(highest),
        margin={"l": 8, "r": 8, "t": 8, "b": 84},
        showlegend=False,
    )

    def place(formulas: Sequence[str]) -> dict[str, list[float]]:
        compositions = [Composition(formula) for formula in formulas]
        percent = [
            {symbol: 100 * float(c.get_atomic_fraction(symbol)) for symbol in hull.elements}
            for c in compositions
        ]
        return triangle.places(percent)

    for one, other in hull.tie_lines:
        figure.add_scatter(
            **place([one.formula, other.formula]),
            mode="lines",
            line={"color": QUIET, "width": 1},
            hoverinfo="skip",
        )
    figure.add_scatter(
        **place([t.decision.formula for t in trials]), **_measured(state, hull, trials)
    )
    ringed = _promoted(state, trials)
    figure.add_scatter(**place([t.decision.formula for t in ringed]), **_rings(state, ringed))
    corners = [phase for phase in hull.stable_phases if phase.candidate is None]
    figure.add_scatter(**place([phase.formula for phase in corners]), **_elements(corners))
    return figure


def _line(state: CampaignState, hull: Hull, trials: Sequence[Trial], highest: float) -> go.Figure:
    first, second = hull.elements
    figure = blank(
        height=400,
        coloraxis=_coloraxis(highest),
        xaxis={"title": {"text": f"{first} (at.%), the rest {second}"}, "range": [-2, 102]},
        yaxis={"title": {"text": label_of(ENERGY, with_unit=True)}},
        margin={"l": 60, "r": 16, "t": 24, "b": 120},
        showlegend=False,
    )

    def percent(formula: str) -> float:
        return 100 * float(Composition(formula).get_atomic_fraction(first))

    corners = sorted(hull.stable_phases, key=lambda phase: percent(phase.formula))
    figure.add_scatter(
        x=[percent(phase.formula) for phase in corners],
        y=[phase.formation_energy for phase in corners],
        mode="lines",
        line={"color": QUIET, "width": 1},
        hoverinfo="skip",
    )

    def place(mine: Sequence[Trial]) -> dict[str, list[float]]:
        phases = [hull.phase(trial.decision.candidate) for trial in mine]
        return {
            "x": [percent(trial.decision.formula) for trial in mine],
            "y": [phase.formation_energy for phase in phases if phase is not None],
        }

    figure.add_scatter(**place(trials), **_measured(state, hull, trials))
    ringed = _promoted(state, trials)
    figure.add_scatter(**place(ringed), **_rings(state, ringed))
    return figure


def _promoted(state: CampaignState, trials: Sequence[Trial]) -> list[Trial]:
    promoted = {e.candidate for e in state.evaluations if e.tier > 0}
    return [trial for trial in trials if trial.decision.candidate in promoted]


def _measured(state: CampaignState, hull: Hull, trials: Sequence[Trial]) -> dict[str, Any]:
    above = [hull.energies_above[trial.decision.candidate] for trial in trials]
    settings = points(list(trials), state.utility)
    settings["text"] = [
        f"{text}<br>above hull {value_of(ENERGY, energy)}"
        for text, energy in zip(settings["text"], above, strict=True)
    ]
    return settings | {
        "marker": {
            "size": 8,
            "color": above,
            "coloraxis": "coloraxis",
            "line": {"width": 0.5, "color": "#ffffff"},
        }
    }


def _rings(state: CampaignState, trials: Sequence[Trial]) -> dict[str, Any]:
    return points(list(trials), state.utility) | {
        "hoverinfo": "skip",
        "hovertemplate": None,
        "marker": {
            "symbol": "circle-open",
            "size": 15,
            "color": VERMILLION,
            "line": {"width": 2, "color": VERMILLION},
        },
    }


def _elements(corners: Sequence[Phase]) -> dict[str, Any]:
    return {
        "mode": "markers",
        "marker": {"symbol": "square", "size": 9, "color": INK},
        "text": [plain(f"{phase.formula}, reference crystal") for phase in corners],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _coloraxis(highest: float) -> dict[str, Any]:
    return {
        "colorscale": SEQUENTIAL,
        "cmin": 0.0,
        "cmax": highest or 1e-3,
        "colorbar": {
            "title": {"text": COLOUR_TITLE, "side": "bottom", "font": {"size": 12, "color": INK}},
            "orientation": "h",
            "thickness": 10,
            "len": 0.8,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "outlinewidth": 0,
            "tickfont": {"size": 11},
        },
    }
