"""Alloys decoded at a chosen property, from points and regions of the latent space."""

import numpy as np
import torch
from pymatgen.core import Composition
from torch import Tensor

from alloop.materials import Material, composition_of
from alloop.models.dvae.judging import Design, column_of, judge
from alloop.models.dvae.limits import Limits
from alloop.models.dvae.model import DvaeModel

_TRACE = 0.005
"""Element fractions below this are left out after a step."""


def decode_at(
    model: DvaeModel,
    z: Tensor,
    *,
    value: float,
    property_name: str = "single_phase_probability",
    limits: Limits | None = None,
) -> list[Design]:
    """Return the alloys decoded at latent points with a chosen property, judged by the head.

    Alloys outside the limits are moved to the nearest inside before they are judged; points
    for which there is none are left out. Whether the head agrees is in ``Design.value``.

    Args:
        model: trained.
        z: latent points as ``encode`` gives them, shape (n, d + p); the properties that are
            not asked for keep the values that they have there.
        value: of the property, in its unit.
        property_name: which.
        limits: of the alloys.

    Raises:
        ModelError: if the points do not fit the model, or it has no such property.
    """
    wanted = asking(model, z, property_name, value)
    decoded = map(composition_of, model.decode(wanted, seed=0))
    inside = [within(alloy, limits, model) for alloy in decoded]
    return judge(model, [alloy for alloy in inside if alloy is not None], property_name, limits)


def around(model: DvaeModel, material: Material, *, radius: float, n: int, seed: int) -> Tensor:
    """Return latent points (n, d + p) normally distributed around a material's.

    Args:
        model: trained.
        material: in the middle of the region.
        radius: standard deviation; the whole latent space has one of 1.
        n: how many points.
        seed: of the draws.
    """
    z = model.encode([material]).repeat(n, 1)
    draws = torch.Generator().manual_seed(seed)
    d = model.options.latents
    z[:, :d] += radius * torch.randn(n, d, generator=draws)
    return z


def asking(model: DvaeModel, z: Tensor, property_name: str, value: float) -> Tensor:
    """Return latent points (n, d + p) that ask for a value of a property."""
    z = z.clone()
    z[:, model.options.latents + column_of(model, property_name)] = value
    return z


def within(alloy: Composition, limits: Limits | None, model: DvaeModel) -> Composition | None:
    """Return the alloy within the limits nearest to one, or None where there is none."""
    if limits is None or not limits.violations(alloy):
        return alloy
    fractions = np.array([alloy.get_atomic_fraction(symbol) for symbol in model.elements])
    nearest = limits.nearest(fractions, model.elements)
    return None if nearest is None else model.composition(torch.from_numpy(nearest))


def blend(here: Composition, there: Composition, share: float) -> Composition:
    """Return the alloy that lies this share of the straight way from one to another."""
    symbols = {el.symbol for el in (*here.elements, *there.elements)}
    mixed = {
        symbol: (1 - share) * here.get_atomic_fraction(symbol)
        + share * there.get_atomic_fraction(symbol)
        for symbol in sorted(symbols)
    }
    kept = {symbol: x for symbol, x in mixed.items() if x >= _TRACE}
    return Composition(kept).fractional_composition
