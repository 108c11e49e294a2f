"""Inverse design (section 3.3): judge alloys, screen them, or decode them at a chosen property."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pymatgen.core import Composition
from torch import Tensor

from alloop.materials import Material, composition_of
from alloop.models.dvae.limits import Limits
from alloop.models.dvae.model import DvaeModel

CUTOFF = 0.6
"""The paper's: an alloy is called a single phase from this probability on (section 3.3)."""


@dataclass(frozen=True)
class JudgedAlloy:
    """An alloy, and what the head says of it."""

    composition: Composition
    value: float
    """Expected value in the property's unit; for yes or no, the probability of a yes."""
    std: float
    is_far: bool
    """Whether it is far from the data, so that the value says little."""
    price: float | None
    """USD per kg; None where no limit on it was set."""


def judge(
    model: DvaeModel, alloys: Sequence[Composition], property_name: str, limits: Limits | None
) -> list[JudgedAlloy]:
    """Return what the head says of each alloy.

    Raises:
        MaterialError: if one is no composition of the model's elements.
        ModelError: if the model has no such property.
    """
    column = model.column_of(property_name)
    if not alloys:
        return []
    found = model.assess(alloys)
    is_priced = limits is not None and limits.highest_price is not None
    return [
        JudgedAlloy(
            composition=alloy,
            value=float(found.prediction.mean[i, column]),
            std=float(found.prediction.std[i, column]),
            is_far=bool(found.is_far[i]),
            price=limits.prices.per_kg(alloy) if limits is not None and is_priced else None,
        )
        for i, alloy in enumerate(alloys)
    ]


def screen(
    model: DvaeModel,
    materials: Sequence[Material],
    *,
    property_name: str = "single_phase_probability",
    at_least: float = CUTOFF,
    limits: Limits | None = None,
) -> list[JudgedAlloy]:
    """Return the alloys within the limits that the head gives at least a value, best first.

    Raises:
        MaterialError: if a material is no composition of the model's elements.
        ModelError: if the model has no such property.
    """
    limits = limits or Limits()
    allowed = [alloy for alloy in map(composition_of, materials) if not limits.violations(alloy)]
    designs = judge(model, allowed, property_name, limits)
    return sorted((d for d in designs if d.value >= at_least), key=lambda d: -d.value)


def decode_at(
    model: DvaeModel,
    z: Tensor,
    *,
    value: float,
    property_name: str = "single_phase_probability",
    limits: Limits | None = None,
) -> list[JudgedAlloy]:
    """Return the alloys decoded at latent points with a chosen property, judged by the head.

    Alloys outside the limits are moved to the nearest inside before they are judged; points
    for which there is none are left out. Whether the head agrees is in ``JudgedAlloy.value``.

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
    wanted = model.asking(z, property_name, value)
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


def within(alloy: Composition, limits: Limits | None, model: DvaeModel) -> Composition | None:
    """Return the alloy within the limits nearest to one, or None where there is none."""
    if limits is None or not limits.violations(alloy):
        return alloy
    fractions = np.array([alloy.get_atomic_fraction(symbol) for symbol in model.elements])
    nearest = limits.nearest(fractions, model.elements)
    return None if nearest is None else model.composition(torch.from_numpy(nearest))
