"""Importance: how each descriptor moves a property that the model predicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alloop.errors import DataError, ModelError
from alloop.loop.analyse.last_model import deterministic, possible_analyses
from alloop.loop.analyse.trained_run import TrainedRun
from alloop.loop.state.choices import find_candidate
from alloop.materials import Material
from alloop.models.analyses import CanExplain, HasDescriptorWeights
from alloop.models.explanation import DescriptorWeights, Explanation

MOST_EXPLAINED = 100
"""Number of known materials that are explained, evenly taken from all."""


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


def importance(
    run: TrainedRun,
    property_name: str = "",
    *,
    of: Sequence[str] = (),
    most: int = MOST_EXPLAINED,
    seed: int = 0,
) -> Importance:
    """Return how each descriptor moves a property.

    Args:
        run: with the model.
        property_name: of the campaign's; the first objective's if empty.
        of: ids of candidates, or their beginnings, that are explained beside the known ones.
        most: number of known materials that are explained.
        seed: of the permutations.

    Raises:
        ModelError: if the model's predictions are functions of no named descriptors.
        DataError: if the campaign has no such property or candidate.
    """
    model, state = run.model, run.state
    name = property_named(run, property_name)
    if not isinstance(model, CanExplain):
        others = ", ".join(f"`alloop {each}`" for each in possible_analyses(model))
        raise ModelError(
            f"the model of this run, {state.spec.model.kind}, predicts from latent coordinates, "
            "which have no names, so no descriptor can be called important",
            remedy=f"{others} can be given about this run.",
        )
    every = {
        each.candidate: material for each, material in zip(run.known, run.materials, strict=True)
    }
    ids = list(every)[:: -(-len(every) // most)]
    explained: dict[str, Material] = {id: every[id] for id in ids}
    for id in (find_candidate(state, beginning) for beginning in of):
        explained[id] = run.store.get_material(id)
    materials = list(explained.values())
    with deterministic(seed):
        explanation = model.explain(
            materials, background=run.materials, property_name=name, seed=seed
        )
        weights = (
            model.descriptor_weights(materials, property_name=name)
            if isinstance(model, HasDescriptorWeights)
            else None
        )
    return Importance(run.round, tuple(explained), explanation, weights)


def property_named(run: TrainedRun, name: str) -> str:
    """Return a property of the campaign, the first objective's if none is named.

    Raises:
        DataError: if the campaign has no such property.
    """
    names = run.state.spec.property_names()
    if name and name not in names:
        raise DataError(
            f"the campaign has no property {name!r}", remedy=f"It has {', '.join(names)}."
        )
    return name or names[0]
