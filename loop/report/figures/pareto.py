"""The Pareto front of several objectives: its members, where they lie, and how it grew."""

import itertools
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from alloop.campaigns.objectives import Objective
from alloop.loop.record.events import Stage
from alloop.loop.report.figures.style import (
    INK,
    STAGE_COLOURS,
    STAGE_NAMES,
    VERMILLION,
    Figure,
    blank,
    finished,
    points,
)
from alloop.loop.report.tables import ReportTable
from alloop.loop.report.words import (
    ID_DIGITS,
    label_of,
    number,
    significant,
    unit_of,
    value_of,
)
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.front import hypervolume_so_far
from alloop.loop.state.ranking.pareto import ParetoFront, pareto_front
from alloop.loop.state.trials import Trial, measured_trials


def front_table(state: CampaignState) -> ReportTable | None:
    """Return the members of the front, by the first objective; None where there is none, or one
    objective."""
    if len(state.spec.objectives) == 1 or not (front := pareto_front(state)).members:
        return None
    names = [objective.property for objective in state.spec.objectives]
    rows = []
    for member in front.members:
        decision = state.decisions[member.candidate]
        values = member.answer.properties
        rows.append(
            (
                decision.formula,
                decision.lattice or "",
                member.candidate[:ID_DIGITS],
                *(value_of(name, values[name], with_unit=False) for name in names),
                significant(member.contribution, 3),
            )
        )
    heads = (label_of(name, with_unit=True) for name in names)
    return ReportTable(
        ("formula", "lattice", "candidate", *heads, "contribution to hypervolume"),
        tuple(rows),
        numeric=tuple(range(3, 4 + len(names))),
        note=front_words(state, front),
    )


def front_words(state: CampaignState, front: ParetoFront) -> str:
    """Return the front in a sentence: its hypervolume, and what that is counted from."""
    units = " × ".join(unit for o in state.spec.objectives if (unit := unit_of(o.property)))
    point = ", ".join(
        f"{label_of(name)} {value_of(name, v)}" for name, v in front.reference.items()
    )
    stated = [o.property for o in state.spec.objectives if o.reference is not None]
    where = "taken once from the first labels"
    if stated:
        where = "stated" if len(stated) == len(front.reference) else f"partly stated, else {where}"
    volume = f"Hypervolume {significant(front.hypervolume)} {units}".rstrip()
    return f"{volume}, above the reference point {point} ({where})."


def pareto_figure(state: CampaignState) -> Figure | None:
    """Draw every feasible candidate in the objectives, with the front: in a plane for two of them,
    in a matrix of planes for more. None for one objective, or while nothing is feasible."""
    objectives = state.spec.objectives
    if len(objectives) == 1 or not (front := pareto_front(state)).members:
        return None
    utility = state.utility
    trials = [
        trial
        for trial in measured_trials(state)
        if trial.answer is not None and utility.is_feasible(trial.answer.properties)
    ]
    draw = _plane if len(objectives) == 2 else _matrix
    figure = draw(state, trials, front)
    names = " and ".join(label_of(o.property) for o in objectives)
    return finished(
        figure,
        id="pareto",
        alt=f"{names} of {len(trials)} feasible candidates, {len(front.members)} of them on the "
        "Pareto front",
        caption="Feasible candidates by the first oracle. The front, which no other dominates, is "
        f"{'joined' if len(objectives) == 2 else 'ringed'}"
        + ("; the cross is the reference point." if len(objectives) == 2 else "."),
    )


def _plane(state: CampaignState, trials: Sequence[Trial], front: ParetoFront) -> go.Figure:
    first, second = (o.property for o in state.spec.objectives)
    figure = blank(
        height=460,
        xaxis={"title": {"text": label_of(first, with_unit=True)}},
        yaxis={"title": {"text": label_of(second, with_unit=True)}},
        hovermode="closest",
    )
    for stage in Stage:
        mine = [trial for trial in trials if trial.proposal.stage is stage]
        if mine:
            figure.add_scatter(
                x=_values(mine, first),
                y=_values(mine, second),
                name=STAGE_NAMES[stage],
                marker={"size": 7, "color": STAGE_COLOURS[stage], "opacity": 0.75},
                **points(mine, state.utility),
            )
    members = [member.answer.properties for member in front.members]
    figure.add_scatter(
        x=[values[first] for values in members],
        y=[values[second] for values in members],
        mode="lines+markers",
        name="Pareto front",
        # Between two members lies what neither dominates: a step, not a slope.
        line={"color": INK, "width": 1.5, "shape": "hv"},
        marker={"size": 11, "symbol": "circle-open", "color": INK},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[front.reference[first]],
        y=[front.reference[second]],
        mode="markers",
        name="reference point",
        marker={"size": 10, "symbol": "x-thin", "line": {"width": 2, "color": VERMILLION}},
        hovertemplate="reference point<br>%{x:.5g}, %{y:.5g}<extra></extra>",
    )
    return figure


def _matrix(state: CampaignState, trials: Sequence[Trial], front: ParetoFront) -> go.Figure:
    """Draw each pair of objectives in a plane of its own, below the diagonal."""
    objectives: Sequence[Objective] = state.spec.objectives
    n = len(objectives) - 1
    figure = make_subplots(
        rows=n,
        cols=n,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.03,
        vertical_spacing=0.03,
        figure=blank(height=230 * n + 100, hovermode="closest"),
    )
    on_front = {member.candidate for member in front.members}
    groups = (
        (False, "dominated", {"size": 5, "color": STAGE_COLOURS[Stage.INITIAL], "opacity": 0.6}),
        (True, "Pareto front", {"size": 8, "color": VERMILLION}),
    )
    for row, column in itertools.combinations_with_replacement(range(n), 2):
        row, column = column, row  # noqa: PLW2901 (the lower half)
        across, up = objectives[column].property, objectives[row + 1].property
        where = {"row": row + 1, "col": column + 1}
        for is_member, name, marker in groups:
            mine = [t for t in trials if (t.decision.candidate in on_front) is is_member]
            if mine:
                figure.add_scatter(
                    x=_values(mine, across),
                    y=_values(mine, up),
                    name=name,
                    legendgroup=name,
                    showlegend=row == column == 0,
                    marker=marker,
                    **points(mine, state.utility),
                    **where,
                )
        if row == n - 1:
            figure.update_xaxes(title_text=_broken(across), **where)
        if column == 0:
            figure.update_yaxes(title_text=_broken(up), **where)
    return figure


def _broken(name: str) -> str:
    return label_of(name, with_unit=True).replace(" (", "<br>(")


def hypervolume_figure(state: CampaignState) -> Figure | None:
    """Draw the hypervolume after each measurement; None for one objective, or while it is 0."""
    utility = state.utility
    if len(state.spec.objectives) == 1:
        return None
    trials = measured_trials(state)
    curve = hypervolume_so_far(
        [
            utility.utilities(t.answer.properties)
            if t.answer is not None and utility.is_feasible(t.answer.properties)
            else None
            for t in trials
        ],
        utility.reference,
    )
    if not len(curve) or curve[-1] == 0:
        return None
    figure = blank(
        height=340,
        xaxis={"title": {"text": "measurements"}},
        yaxis={"title": {"text": "hypervolume"}, "rangemode": "tozero"},
    )
    figure.add_scatter(
        x=[trial.number for trial in trials],
        y=curve.tolist(),
        mode="lines",
        name="hypervolume",
        line={"shape": "hv", "color": INK, "width": 2},
    )
    return finished(
        figure,
        id="hypervolume",
        alt=f"hypervolume after each of {len(trials)} measurements, "
        f"{number(float(curve[-1]), 3)} at the end",
        caption="Hypervolume that the front dominates above the reference point, in the product "
        "of the objectives' units.",
    )


def _values(trials: Sequence[Trial], name: str) -> list[float]:
    return [trial.answer.properties[name] for trial in trials if trial.answer is not None]
