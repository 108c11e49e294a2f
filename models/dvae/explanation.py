"""Why the head thinks what it thinks: SHAP values of the descriptors."""

from collections.abc import Sequence

import torch

from alloop.materials import Material
from alloop.models.dvae.model import DvaeModel
from alloop.models.explanation import Explanation, FloatArray, background_rows, shap_explanation

_BACKGROUND = 40


def explain(
    model: DvaeModel,
    materials: Sequence[Material],
    *,
    property_name: str = "single_phase_probability",
    seed: int = 0,
) -> Explanation:
    """Return SHAP values of the head; the background is a sample of the alloys that the model was
    last fitted to.

    Raises:
        MaterialError: if a material is no composition of the model's elements.
        ModelError: if the model is untrained or has no such property.
    """
    column, learned = model.column_of(property_name), model.learned
    sample = background_rows(len(learned.known), _BACKGROUND, seed)
    with torch.no_grad():
        background = learned.standardised(learned.known[sample]).double().numpy()
        described = learned.describe(model.fractions_of(materials)).double().numpy()
        rows = learned.standardised(model.fractions_of(materials)).double().numpy()

    @torch.no_grad()
    def head(descriptors: FloatArray) -> FloatArray:
        belief = learned.judge(torch.from_numpy(descriptors).float())
        return belief.mean[:, column].double().numpy()

    return shap_explanation(
        head,
        property_name=property_name,
        materials=materials,
        names=learned.describe.names,
        descriptors=described,
        inputs=rows,
        background=background,
        seed=seed,
    )
