"""Why the heads of the lattice model predict what they predict: descriptors are composition and
short-range order."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from alloop.errors import ModelError
from alloop.materials import Material
from alloop.models.base import column_of
from alloop.models.explanation import (
    DescriptorWeights,
    Explanation,
    FloatArray,
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
    column, heads = _column(model, property_name), model.heads
    mean, std = (each.double().numpy() for each in (heads.feature_mean, heads.feature_std))
    rows = background_rows(len(background), _BACKGROUND, seed)
    described = _embedded(model, materials)

    @torch.no_grad()
    def head(features: FloatArray) -> FloatArray:
        means = heads(torch.from_numpy(features).float())[..., column].double().mean(dim=0)
        return (means * heads.label_std[column] + heads.label_mean[column]).numpy()

    return shap_explanation(
        head,
        property_name=property_name,
        materials=materials,
        names=descriptor_names(model),
        descriptors=described,
        # Standardised in double precision: a model that is little trained tells its materials
        # apart by very small differences.
        inputs=(described - mean) / std,
        background=(_embedded(model, [background[row] for row in rows]) - mean) / std,
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
    described = torch.from_numpy(_embedded(model, materials))
    standardised = ((described - heads.feature_mean) / heads.feature_std).float().requires_grad_()
    means = heads(standardised)[..., column].sum(dim=1)
    slopes = torch.stack(
        [
            torch.autograd.grad(mean, standardised, retain_graph=True)[0].mean(dim=0)
            for mean in means
        ]
    ).double()
    slopes = slopes * heads.label_std[column] / heads.feature_std
    return DescriptorWeights(
        property_name=property_name,
        descriptor_names=descriptor_names(model),
        slopes=slopes.mean(dim=0).numpy(),
        stds=slopes.std(dim=0).numpy(),
        spreads=described.std(dim=0, unbiased=False).numpy(),
    )


def _column(model: "LatticeModel", property_name: str) -> int:
    column = column_of(model.property_names, property_name)
    if not bool(model.heads.label_mean[column].isfinite()):
        raise ModelError(f"fewer than two labels of {property_name} were learnt")
    return column


def _embedded(model: "LatticeModel", materials: Sequence[Material]) -> FloatArray:
    with torch.no_grad():
        return model.embed(model.encode(materials).double()).double().numpy()
