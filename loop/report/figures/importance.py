"""Importance of descriptors: beeswarm of SHAP values, weights, and one material's waterfall."""

from typing import Any

import numpy as np

from alloop.errors import AlloopError
from alloop.loop.analyse.importance_record import Importance
from alloop.loop.analyse.last_model import load_model
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.figures.style import (
    BLUE,
    INK,
    QUIET,
    SEQUENTIAL,
    VERMILLION,
    Figure,
    blank,
    finished,
    plain,
)
from alloop.loop.report.words import label_of, unit_of, value_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.analyses import CanExplain
from alloop.models.explanation import DescriptorWeights
from alloop.models.explanation_plots import SHOWN, summary_plot

IN_REPORT = 40
"""Number of known materials that a report's beeswarm holds."""
ROW = 26
"""Height of a descriptor's row, in CSS pixels."""


def importance_figures(
    state: CampaignState, store: ArtifactStore
) -> tuple[list[tuple[str, Figure]], str]:
    """Return the figures of each objective's property with their headings, and why there are none
    where there should be some. A model without named descriptors has none."""
    if not state.models:
        return [], ""
    try:
        model, round = load_model(state, store)
    except AlloopError:
        return [], ""  # the latent map says so
    if not isinstance(model, CanExplain):
        return [], ""
    from alloop.loop.analyse.importance import importance  # noqa: PLC0415 (torch, for a model only)
    from alloop.loop.analyse.trained_run import TrainedRun  # noqa: PLC0415

    figures: list[tuple[str, Figure]] = []
    try:
        run = TrainedRun.with_model(state, store, model, round)
        for name in dict.fromkeys(objective.property for objective in state.spec.objectives):
            figures += figures_of(importance(run, name, most=IN_REPORT))
    except AlloopError as error:
        return figures, f"what matters to the model cannot be said: {error.what}."
    return figures, ""


def figures_of(found: Importance) -> list[tuple[str, Figure]]:
    """Return the beeswarm and, where there are weights, their bars, with headings."""
    heading = label_of(found.explanation.property_name)
    figures = [(f"SHAP values: {heading}", beeswarm_figure(found))]
    if found.weights is not None:
        figures.append((f"Weights: {heading}", weights_figure(found.weights, found.round)))
    return figures


def beeswarm_figure(found: Importance) -> Figure:
    """Return one row of dots per descriptor, the most important on top."""
    explanation = found.explanation
    plot = summary_plot(explanation)
    names = list(plot.layout.yaxis.ticktext)
    figure = _rows(names, f"SHAP value ({_unit(explanation.property_name)})")
    for trace in plot.data:
        drawn = trace.to_plotly_json()
        drawn["text"] = [plain(str(text)) for text in drawn["text"]]
        drawn["marker"] |= {"colorscale": SEQUENTIAL, "reversescale": False}
        figure.add_scatter(**_plain_values(drawn), hovertemplate="%{text}<extra>%{x:.3g}</extra>")
    n = len(explanation.formulas)
    name = label_of(explanation.property_name)
    return finished(
        figure,
        id=f"importance-{explanation.property_name}",
        alt=f"SHAP values of {name} by descriptor, of {n} known materials",
        caption=f"How far each descriptor moves the prediction of {name} from its mean, "
        f"{value_of(explanation.property_name, explanation.base)}; a dot is a material, dark "
        f"where the descriptor is low and bright where it is high. By the model of round "
        f"{found.round}: what it learnt, not what causes what.",
    )


def weights_figure(weights: DescriptorWeights, round: int) -> Figure:
    """Return the descriptors' slopes times their spread, with the ensemble's deviation."""
    effects = weights.slopes * weights.spreads
    order = np.argsort(-np.abs(effects), kind="stable")[:SHOWN][::-1]
    figure = _rows(
        [weights.descriptor_names[i] for i in order],
        f"weight × spread of the descriptor ({_unit(weights.property_name)})",
    )
    figure.add_bar(
        orientation="h",
        x=effects[order].tolist(),
        y=list(range(len(order))),
        error_x={
            "type": "data",
            "array": (weights.stds * weights.spreads)[order].tolist(),
            "color": QUIET,
            "thickness": 1,
        },
        marker={"color": [BLUE if effects[i] < 0 else VERMILLION for i in order]},
        hovertemplate="%{x:.3g}<extra></extra>",
    )
    name = label_of(weights.property_name)
    return finished(
        figure,
        id=f"weights-{weights.property_name}",
        alt=f"weights of composition and pair correlations for {name}",
        caption=f"Change of the predicted {name} when a descriptor rises by its standard deviation "
        f"over the known materials, ± one standard deviation over the ensemble of round {round}. "
        "Order of A-B: covariance of neighbours' occupations, positive where A and B are "
        "neighbours more often than at random.",
    )


def waterfall_figure(found: Importance, candidate: str) -> Figure:
    """Return the way from the mean prediction to one material's, descriptor by descriptor."""
    explanation, row = found.explanation, found.candidates.index(candidate)
    steps = found.candidate_rows(candidate)
    shown, rest = steps[:SHOWN], steps[SHOWN:]
    names = [f"{step['descriptor']} = {step['value']:.4g}" for step in shown]
    sizes = [step["shap"] for step in shown]
    if rest:
        names.append(f"{len(rest)} others")
        sizes.append(sum(step["shap"] for step in rest))
    starts = explanation.base + np.concatenate([[0.0], np.cumsum(sizes)[:-1]])
    figure = _rows(names[::-1], f"predicted ({_unit(explanation.property_name)})")
    figure.add_bar(
        orientation="h",
        x=sizes[::-1],
        base=starts[::-1].tolist(),
        y=list(range(len(names))),
        marker={"color": [BLUE if size < 0 else VERMILLION for size in sizes[::-1]]},
        hovertemplate="%{x:.3g}<extra></extra>",
    )
    figure.add_vline(x=explanation.base, line={"color": INK, "dash": "dot", "width": 1})
    name = explanation.property_name
    return finished(
        figure,
        id=f"waterfall-{candidate[:10]}",
        alt=f"SHAP values of {explanation.formulas[row]}, added up",
        caption=f"{explanation.formulas[row]}: from the mean prediction, "
        f"{value_of(name, explanation.base)}, to its own, "
        f"{value_of(name, float(explanation.values[row]))}.",
    )


def _rows(names: list[str], title: str) -> Any:
    return blank(
        height=90 + ROW * len(names),
        showlegend=False,
        xaxis={"title": {"text": title}, "zeroline": True, "zerolinecolor": QUIET},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": [plain(str(name)) for name in names],
            "range": [-0.7, len(names) - 0.3],
        },
        margin={"l": 60, "r": 16, "t": 16, "b": 52},
    )


def _unit(name: str) -> str:
    return unit_of(name) or label_of(name)


def _plain_values(trace: dict[str, Any]) -> dict[str, Any]:
    """Return a trace's settings without NumPy arrays, which JSON does not know."""
    trace = {key: value for key, value in trace.items() if key not in ("type", "showlegend")}
    marker = dict(trace["marker"])
    marker["color"] = np.asarray(marker["color"]).tolist()
    return trace | {
        "x": np.asarray(trace["x"]).tolist(),
        "y": np.asarray(trace["y"]).tolist(),
        "marker": marker,
        "name": plain(str(trace["name"])),
    }
