"""Why the heads of the lattice model predict what they predict: descriptors are composition and
short-range order."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from alloop.errors import ModelError
from alloop.materials import Material
from alloop.models.explanation import (
    DescriptorWeights,
    Explanation,
    background_rows,
    shap_explanation,
)

if TYPE_CHECKING:
    from alloop.models.lattice.model import LatticeModel

_BACKGROUND = 40


def descriptor_names(model: "LatticeModel") -> tuple[str, ...]:
    """Return the names of the columns of ``LatticeModel.embed``, in their order."""
    space = model.space
    pairs = list(itertools.combinations(space.species, 2))
    shells = range(1, len(space.parents[0].shells) + 1)
    n = len(space.sublattices)
    places = [""] if n == 1 else [f" on sublattice {place}" for place in range(1, n + 1)]
    return (
        *(f"share of {parent.title}" for parent in space.parents[1:]),
        *(f"fraction of {el}{place}" for place in places for el in space.species[:-1]),
        *(
            f"order of {a}-{b} in shell {shell}{place}"
            for place in places
            for shell in shells
            for a, b in pairs
        ),
    )


def explain(
    model: "LatticeModel",
    materials: Sequence[Material],
    *,
    background: Sequence[Material],
    property_name: str,
    seed: int,
) -> Explanation:
    """Return SHAP values of the heads' mean.

    Raises:
        MaterialError: if a material is no decoration of the model's parents.
        ModelError: if nothing was learnt of the property.
    """
    column = _column(model, property_name)
    rows = background_rows(len(background), _BACKGROUND, seed)
    inputs = _embedded(model, materials)

    @torch.no_grad()
    def head(features: np.ndarray) -> np.ndarray:
        found = torch.from_numpy(np.asarray(features, dtype=np.float32))
        return model.heads.predict(found)[0][:, column].double().numpy()

    return shap_explanation(
        head,
        property_name=property_name,
        materials=materials,
        names=descriptor_names(model),
        descriptors=inputs,
        inputs=inputs,
        background=_embedded(model, [background[row] for row in rows]),
        seed=seed,
    )


def descriptor_weights(
    model: "LatticeModel", materials: Sequence[Material], *, property_name: str
) -> DescriptorWeights:
    """Return the heads' mean slopes: the effective weights of composition and pair correlations.

    Raises:
        MaterialError: if a material is no decoration of the model's parents.
        ModelError: if nothing was learnt of the property.
    """
    column, heads = _column(model, property_name), model.heads
    features = torch.from_numpy(_embedded(model, materials)).requires_grad_()
    standardised = (features - heads.feature_mean) / heads.feature_std
    means = heads(standardised)[..., column].sum(dim=1) * heads.label_std[column]
    slopes = torch.stack(
        [torch.autograd.grad(mean, features, retain_graph=True)[0].mean(dim=0) for mean in means]
    ).double()
    return DescriptorWeights(
        property_name=property_name,
        descriptor_names=descriptor_names(model),
        slopes=slopes.mean(dim=0).numpy(),
        stds=slopes.std(dim=0).numpy(),
        spreads=features.detach().double().std(dim=0, unbiased=False).numpy(),
    )


def _column(model: "LatticeModel", property_name: str) -> int:
    if property_name not in model.property_names:
        raise ModelError(
            f"the model knows no {property_name}",
            remedy=f"It knows {', '.join(model.property_names)}.",
        )
    column = model.property_names.index(property_name)
    if not bool(model.heads.label_mean[column].isfinite()):
        raise ModelError(f"fewer than two labels of {property_name} were learnt")
    return column


def _embedded(model: "LatticeModel", materials: Sequence[Material]) -> np.ndarray:
    with torch.no_grad():
        return model.embed(model.encode(materials)).float().numpy()
