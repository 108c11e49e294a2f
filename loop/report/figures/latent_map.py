"""The latent map: what was measured, where the last model places it, in two dimensions."""

from collections.abc import Sequence
from typing import Any

from alloop.errors import AlloopError, DataError
from alloop.loop.analyse.latent import COLOURINGS, FEWEST, LatentMap, map_latent_space
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    QUIET,
    SEQUENTIAL,
    SKY,
    VERMILLION,
    Figure,
    blank,
    finished,
    plain,
    points,
    ring,
)
from alloop.loop.report.words import label_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, measured_trials

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, QUIET)
"""Colours of phases, rounds, stages and tiers, in turn."""


def latent_map(state: CampaignState, store: ArtifactStore) -> tuple[Figure | None, str]:
    """Return the map coloured by the first objective, and why there is none where there should be
    one."""
    n = sum(trial.answer is not None for trial in measured_trials(state))
    if not state.models or n < FEWEST:
        return None, ""
    try:
        found = map_latent_space(state, store)
    except DataError:
        return None, ""
    except AlloopError as error:
        # Without the place: a path of this machine is nobody's affair who reads the page.
        checkpoint = state.models[max(state.models)].checkpoint
        return None, f"the map cannot be drawn with checkpoint {checkpoint}: {error.what}."
    return latent_figure(state, found, state.spec.objectives[0].property), ""


def latent_figure(state: CampaignState, found: LatentMap, colouring: str) -> Figure:
    """Return a map coloured by a property or by one of ``COLOURINGS``."""
    figure = blank(
        height=520,
        xaxis={
            "title": {"text": f"first component ({100 * found.shares[0]:.0f} % of the variance)"}
        },
        yaxis={"title": {"text": f"second component ({100 * found.shares[1]:.0f} %)"}},
        hovermode="closest",
        margin={"l": 60, "r": 16, "t": 40, "b": 52},
    )
    if colouring in COLOURINGS:
        _add_categories(figure, state, found, colouring)
    else:
        _add_values(figure, state, found, colouring)
    trials, last = found.trials, len(found.trials) - 1
    best = state.best()
    if best is not None and trials[last].decision.candidate == best.candidate:
        figure.add_scatter(**_at(found, [last]), **ring(trials[last], state.utility))
    return finished(
        figure,
        id="latent-map"
        if colouring == state.spec.objectives[0].property
        else f"latent-{colouring}",
        alt=f"{label_of(colouring)} of {len(trials)} measured candidates in the latent space of "
        f"the model of round {found.round}, along two principal components",
        caption=f"Every candidate as the model of round {found.round} encodes it; near one another "
        "lie those that it takes for alike. Ringed: the best.",
    )


def latent_figures(state: CampaignState, found: LatentMap, first: str) -> list[tuple[str, Figure]]:
    """Return a map for each property and each of ``COLOURINGS`` in which the candidates differ,
    with headings; the one named first comes first."""
    names = dict.fromkeys((first, *state.spec.property_names(), *COLOURINGS))
    figures = []
    for name in names:
        rows = range(len(found.trials))
        kinds = {found.category(state, name, row) for row in rows} if name in COLOURINGS else ()
        if name == first or name not in COLOURINGS or len(kinds) > 1:
            figures.append((label_of(name), latent_figure(state, found, name)))
    return figures


def _add_values(figure: Any, state: CampaignState, found: LatentMap, name: str) -> None:
    figure.update_layout(
        coloraxis={
            "colorscale": SEQUENTIAL,
            "colorbar": {
                "title": {"text": label_of(name, with_unit=True), "side": "right"},
                "thickness": 10,
                "outlinewidth": 0,
            },
        }
    )
    trials = found.trials
    for feasible in (False, True):
        mine = [i for i, trial in enumerate(trials) if _is_feasible(state, trial) is feasible]
        if mine:
            symbol = "circle" if feasible else "circle-open"
            # Stands in the legend for points all of which have colours of their own.
            figure.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                name="inside the constraints" if feasible else "outside the constraints",
                marker={"symbol": symbol, "size": 8, "color": INK},
            )
            figure.add_scatter(
                **_at(found, mine),
                showlegend=False,
                marker={
                    "symbol": symbol,
                    "size": 8,
                    "color": [_value(trials[i], name) for i in mine],
                    "coloraxis": "coloraxis",
                },
                **points([trials[i] for i in mine], state.utility),
            )


def _add_categories(figure: Any, state: CampaignState, found: LatentMap, colouring: str) -> None:
    named = [found.category(state, colouring, row) for row in range(len(found.trials))]
    for place, name in enumerate(sorted(set(named), key=_as_number)):
        mine = [row for row, other in enumerate(named) if other == name]
        figure.add_scatter(
            **_at(found, mine),
            name=plain(f"{colouring} {name}" if name.isdigit() else name),
            marker={"size": 8, "color": COLOURS[place % len(COLOURS)]},
            **points([found.trials[i] for i in mine], state.utility),
        )


def _as_number(name: str) -> tuple[int, str]:
    return (int(name) if name.isdigit() else -1, name)


def _at(found: LatentMap, rows: Sequence[int]) -> dict[str, Any]:
    return {"x": found.places[rows, 0].tolist(), "y": found.places[rows, 1].tolist()}


def _is_feasible(state: CampaignState, trial: Trial) -> bool:
    return trial.answer is not None and state.utility.is_feasible(trial.answer.properties)


def _value(trial: Trial, name: str) -> float:
    assert trial.answer is not None, "only what was answered is drawn"
    return trial.answer.properties[name]
