"""Plot of an explanation of many materials."""

import numpy as np
import plotly.graph_objects as go

from alloop.models.explanation import Explanation

SHOWN = 12
"""Descriptors in a plot, the most important first."""


def summary_plot(explanation: Explanation) -> go.Figure:
    """Return one row of dots per descriptor (after Fig. 8a): an alloy's SHAP value, coloured by
    its descriptor, from the lowest of the alloys to the highest.
    """
    names = list(explanation.importance())[:SHOWN]
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
