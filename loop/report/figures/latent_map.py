"""The latent map: what was measured, where the last model places it, in two dimensions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from alloop.errors import AlloopError
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.figures.style import (
    INK,
    SEQUENTIAL,
    Figure,
    blank,
    finished,
    points,
    ring,
)
from alloop.loop.report.words import label_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, measured_trials

MOST = 1500
"""Most candidates that are encoded: evenly taken from all, and the best."""


def latent_map(state: CampaignState, store: ArtifactStore) -> tuple[Figure | None, str]:
    """Return the map, and why there is none where there should be one.

    The last model encodes every measured candidate anew, since coordinates of an earlier model mean
    nothing in a later one; the plane is that of the two principal components.
    """
    trials = _thinned(state, [t for t in measured_trials(state) if t.answer is not None])
    if not state.models or len(trials) < 3:
        return None, ""
    round = max(state.models)
    try:
        model = store.read(state.models[round].checkpoint, state.spec.model.load)
        materials = [store.get_material(trial.decision.candidate) for trial in trials]
        latents = np.asarray(model.encode(materials), dtype=float)
    except AlloopError as error:
        # Without the place: a path of this machine is nobody's affair who reads the page.
        checkpoint = state.models[round].checkpoint
        return None, f"the map cannot be drawn with checkpoint {checkpoint}: {error.what}."
    places, shares = principal_plane(latents)
    return _figure(state, trials, places, shares, round), ""


def principal_plane(
    latents: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], tuple[float, float]]:
    """Return the places of latent points (n, d) along their two principal components, (n, 2), and
    the share of their variance along each. A component points to where its largest entry is
    positive, so that the same points give the same picture."""
    centred = latents - latents.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    if len(axes) < 2:  # a latent space of one dimension
        axes = np.vstack([axes, np.zeros_like(axes)])
        values = np.append(values, 0.0)
    plane = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    total = float((values**2).sum()) or 1.0
    return centred @ plane.T, (float(values[0] ** 2 / total), float(values[1] ** 2 / total))


def _thinned(state: CampaignState, trials: Sequence[Trial]) -> list[Trial]:
    """Return evenly spaced trials and the best, which is drawn on top of all."""
    best = state.best()
    step = -(-len(trials) // MOST) or 1
    others = [t for t in trials[::step] if best is None or t.decision.candidate != best.candidate]
    last = [t for t in trials if best is not None and t.decision.candidate == best.candidate]
    return [*others, *last[:1]]


def _figure(
    state: CampaignState,
    trials: Sequence[Trial],
    places: npt.NDArray[np.float64],
    shares: tuple[float, float],
    round: int,
) -> Figure:
    name = state.spec.objectives[0].property
    figure = blank(
        height=520,
        xaxis={"title": {"text": f"first component ({100 * shares[0]:.0f} % of the variance)"}},
        yaxis={"title": {"text": f"second component ({100 * shares[1]:.0f} %)"}},
        coloraxis={
            "colorscale": SEQUENTIAL,
            "colorbar": {
                "title": {"text": label_of(name, with_unit=True), "side": "right"},
                "thickness": 10,
                "outlinewidth": 0,
            },
        },
        hovermode="closest",
        margin={"l": 60, "r": 16, "t": 40, "b": 52},
    )
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
                **_at(places, mine),
                showlegend=False,
                marker={
                    "symbol": symbol,
                    "size": 8,
                    "color": [_value(trials[i], name) for i in mine],
                    "coloraxis": "coloraxis",
                },
                **points([trials[i] for i in mine], state.utility),
            )
    figure.add_scatter(**_at(places, [len(trials) - 1]), **ring(trials[-1], state.utility))
    return finished(
        figure,
        id="latent-map",
        alt=f"{label_of(name)} of {len(trials)} measured candidates in the latent space of the "
        f"model of round {round}, along two principal components",
        caption=f"Every candidate as the model of round {round} encodes it; near one another lie "
        "those that it takes for alike. Ringed: the best.",
    )


def _at(places: npt.NDArray[np.float64], rows: Sequence[int]) -> dict[str, Any]:
    return {"x": places[rows, 0].tolist(), "y": places[rows, 1].tolist()}


def _is_feasible(state: CampaignState, trial: Trial) -> bool:
    return trial.answer is not None and state.utility.is_feasible(trial.answer.properties)


def _value(trial: Trial, name: str) -> float:
    assert trial.answer is not None, "only what was answered is drawn"
    return trial.answer.properties[name]
