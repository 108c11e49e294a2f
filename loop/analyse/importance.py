"""Importance: how each descriptor moves a property that the model predicts."""

from collections.abc import Sequence

from alloop.errors import DataError, ModelError
from alloop.loop.analyse.importance_record import Importance
from alloop.loop.analyse.last_model import deterministic, evenly, possible_analyses
from alloop.loop.analyse.trained_run import TrainedRun
from alloop.loop.state.choices import find_candidate
from alloop.materials import Material
from alloop.models.analyses import CanExplain, HasDescriptorWeights

MOST_EXPLAINED = 100
"""Number of known materials that are explained, evenly taken from all."""


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
    explained: dict[str, Material] = {id: every[id] for id in evenly(list(every), most)}
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
