"""Importances of descriptors as data."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alloop.models.explanation import DescriptorWeights, Explanation


@dataclass(frozen=True)
class Importance:
    """SHAP values of one property over the known materials, and the descriptors' weights."""

    round: int
    """Round of the model."""
    candidates: tuple[str, ...]
    """Ids of the explained materials, in the order of the explanation's rows."""
    explanation: Explanation
    weights: DescriptorWeights | None
    """Weights of the descriptors, of a model that they enter nearly linearly."""

    def rows(self) -> list[dict[str, Any]]:
        """Return the descriptors, the most important first, as plain values: the mean absolute
        SHAP value, and the slope with its standard deviation where there are weights."""
        found = []
        for name, mean in self.explanation.importance().items():
            row: dict[str, Any] = {"descriptor": name, "mean_abs_shap": mean}
            if self.weights is not None:
                place = self.weights.descriptor_names.index(name)
                row |= {
                    "weight": float(self.weights.slopes[place]),
                    "weight_std": float(self.weights.stds[place]),
                    "descriptor_std": float(self.weights.spreads[place]),
                }
            found.append(row)
        return found

    def candidate_rows(self, id: str) -> list[dict[str, Any]]:
        """Return the descriptors of one explained material, those that move it most first."""
        row, found = self.candidates.index(id), self.explanation
        order = np.argsort(-np.abs(found.shap_values[row]), kind="stable")
        return [
            {
                "descriptor": found.descriptor_names[i],
                "value": float(found.descriptors[row, i]),
                "shap": float(found.shap_values[row, i]),
            }
            for i in order
        ]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        found = self.explanation
        return {
            "property": found.property_name,
            "round": self.round,
            "base": found.base,
            "descriptors": self.rows(),
            "materials": [
                {
                    "candidate": id,
                    "formula": found.formulas[row],
                    "predicted": float(found.values[row]),
                    "values": found.descriptors[row].tolist(),
                    "shap_values": found.shap_values[row].tolist(),
                }
                for row, id in enumerate(self.candidates)
            ],
            "descriptor_names": list(found.descriptor_names),
        }
