"""Why the head thinks what it thinks: SHAP values of the descriptors, as data and as plots."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import torch

from alloop.materials import Material, formula_of
from alloop.models.dvae.design import column_of
from alloop.models.dvae.model import DvaeModel

_BACKGROUND = 40
_SHOWN = 12
"""Descriptors in a plot, the most important first."""


@dataclass(frozen=True)
class Explanation:
    """How each descriptor moves the head's value away from its mean over the data."""

    property_name: str
    formulas: tuple[str, ...]
    descriptor_names: tuple[str, ...]
    descriptors: np.ndarray
    """f(x) in the descriptors' units, shape (n, m)."""
    shap_values: np.ndarray
    """SHAP values in the property's unit, shape (n, m); a row sums to the value less ``base``."""
    values: np.ndarray
    """Values that the head gives, shape (n,)."""
    base: float
    """The head's mean over the background."""

    def importance(self) -> dict[str, float]:
        """Return the mean absolute SHAP value by descriptor, the largest first."""
        means = np.abs(self.shap_values).mean(0)
        return {self.descriptor_names[i]: float(means[i]) for i in np.argsort(-means)}


def explain(
    model: DvaeModel,
    materials: Sequence[Material],
    *,
    property_name: str = "single_phase_probability",
    seed: int = 0,
) -> Explanation:
    """Return SHAP values of the head.

    By permutations (shap's permutation explainer), whose values add up exactly; the background
    is a sample of the alloys that the model was last fitted to.

    Raises:
        MaterialError: if a material is no composition of the model's elements.
        ModelError: if the model is untrained or has no such property.
    """
    with warnings.catch_warnings():  # it was written for an older matplotlib
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap  # noqa: PLC0415 (compiles for seconds)

    column, learned = column_of(model, property_name), model.learned
    rng = np.random.default_rng(seed)
    n = len(learned.known)
    sample = rng.choice(n, size=min(_BACKGROUND, n), replace=False)
    with torch.no_grad():
        background = learned.standardised(learned.known[np.sort(sample)]).numpy()
        described = learned.describe(model.fractions_of(materials)).numpy()
        rows = learned.standardised(model.fractions_of(materials)).numpy()

    @torch.no_grad()
    def head(descriptors: np.ndarray) -> np.ndarray:
        belief = learned.judge(torch.from_numpy(np.asarray(descriptors, dtype=np.float32)))
        return belief.mean[:, column].numpy()

    with _numpy_state_kept():
        explainer = shap.PermutationExplainer(
            head, shap.maskers.Independent(background, max_samples=len(background)), seed=seed
        )
        found = explainer(rows, max_evals=2 * rows.shape[1] + 1, silent=True)
    return Explanation(
        property_name=property_name,
        formulas=tuple(map(formula_of, materials)),
        descriptor_names=tuple(learned.describe.names),
        descriptors=described,
        shap_values=np.asarray(found.values),
        values=head(rows),
        base=float(np.mean(found.base_values)),
    )


def summary_plot(explanation: Explanation) -> go.Figure:
    """Return one row of dots per descriptor (after Fig. 8a): an alloy's SHAP value, coloured by
    its descriptor, from the lowest of the alloys to the highest.
    """
    names = list(explanation.importance())[:_SHOWN]
    figure = go.Figure()
    for row, name in enumerate(reversed(names)):
        i = explanation.descriptor_names.index(name)
        shap_values, descriptor = explanation.shap_values[:, i], explanation.descriptors[:, i]
        rank = np.argsort(np.argsort(descriptor)) / max(1, len(descriptor) - 1)
        # Alloys with alike SHAP values would hide each other: spread them by their rank.
        figure.add_scatter(
            x=shap_values,
            y=row + 0.6 * (rank - 0.5),
            mode="markers",
            marker={"color": rank, "colorscale": "RdBu", "reversescale": True, "size": 5},
            text=[
                f"{formula}: {value:.4g}"
                for formula, value in zip(explanation.formulas, descriptor, strict=True)
            ],
            name=name,
            showlegend=False,
        )
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=list(reversed(names)))
    figure.update_xaxes(title=f"SHAP value of {explanation.property_name}")
    return figure


def alloy_plot(explanation: Explanation, row: int) -> go.Figure:
    """Return the waterfall of one alloy: from the base to the head's value."""
    order = np.argsort(-np.abs(explanation.shap_values[row]))
    shown, rest = order[:_SHOWN], order[_SHOWN:]
    names = [
        f"{explanation.descriptor_names[i]} = {explanation.descriptors[row, i]:.4g}" for i in shown
    ]
    steps = [float(explanation.shap_values[row, i]) for i in shown]
    if len(rest):
        names.append(f"{len(rest)} others")
        steps.append(float(explanation.shap_values[row, rest].sum()))
    bars = go.Waterfall(
        orientation="h", y=names, x=steps, base=explanation.base, measure=["relative"] * len(steps)
    )
    figure = go.Figure(bars)
    figure.update_layout(
        title=f"{explanation.formulas[row]}: {explanation.values[row]:.2f}", showlegend=False
    )
    figure.update_xaxes(title=explanation.property_name)
    return figure


@contextmanager
def _numpy_state_kept() -> Iterator[None]:
    """Undo what the explainer does to NumPy's global random state."""
    before = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(before)
