"""Inverse design, three ways (section 3.3): screen, decode at a chosen property, or invert."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pymatgen.core import Composition
from torch import Tensor

from alloop.errors import MaterialError, ModelError
from alloop.materials import Material, composition_of, formula_of
from models.dvae.limits import Limits
from models.dvae.model import DvaeModel

CUTOFF = 0.6
"""The paper's: an alloy is called a single phase from this probability on (section 3.3)."""
_SHARES = 40
"""Points on the way back from an inverted alloy, of which the nearest that still does is taken."""
_TRACE = 0.005
"""Element fractions below this are left out after a step."""


@dataclass(frozen=True)
class Design:
    """An alloy, and what the head says of it."""

    composition: Composition
    value: float
    """Of the property, in its unit: for yes or no, the probability of a yes."""
    std: float
    is_far: bool
    """Whether it is far from the data, so that the value says little."""
    price: float | None
    """USD per kg; None where no limit on it was set."""


@dataclass(frozen=True)
class Step:
    """One alloy of an inversion."""

    design: Design
    z: tuple[float, ...]
    """Where it was encoded."""


@dataclass(frozen=True)
class Inversion:
    """The whole path from an alloy to one with the property inverted."""

    steps: tuple[Step, ...]
    """The first is the alloy itself."""
    succeeded: bool

    @property
    def kept(self) -> tuple[str, ...]:
        """Return the elements of the first alloy that the last still has."""
        first, last = (step.design.composition for step in (self.steps[0], self.steps[-1]))
        return tuple(el.symbol for el in first.elements if el in last)


def screen(
    model: DvaeModel,
    materials: Sequence[Material],
    *,
    property_name: str = "single_phase_probability",
    at_least: float = CUTOFF,
    limits: Limits | None = None,
) -> list[Design]:
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
    wanted = _asking(model, z, property_name, value)
    within = [
        _within(alloy, limits, model) for alloy in map(composition_of, _decode(model, wanted))
    ]
    return judge(model, [alloy for alloy in within if alloy is not None], property_name, limits)


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


def invert(
    model: DvaeModel,
    material: Material,
    *,
    property_name: str = "single_phase_probability",
    cutoff: float = CUTOFF,
    most_steps: int = 10,
    limits: Limits | None = None,
) -> Inversion:
    """Change an alloy until the head gives a yes-or-no property (Fig. 7); return the whole path.

    Each step encodes the alloy with what the head thinks of it, and decodes at the same z for a
    yes.

    Raises:
        MaterialError: if the material is no composition of the model's elements, or no alloy
            near a step is within the limits.
        ModelError: if the model has no such property.
    """
    alloy = composition_of(material)
    steps = [_step(model, alloy, property_name, limits)]
    while steps[-1].design.value < cutoff and len(steps) <= most_steps:
        z = _asking(model, model.encode([alloy]), property_name, 1.0)
        moved = _within(composition_of(_decode(model, z)[0]), limits, model)
        if moved is None:
            raise MaterialError(
                f"no alloy near {formula_of(alloy)} is within the limits",
                remedy="Loosen them: each element needs room between its bounds.",
            )
        alloy = moved
        steps.append(_step(model, alloy, property_name, limits))
    return Inversion(tuple(steps), steps[-1].design.value >= cutoff)


def nearest_inverted(
    model: DvaeModel,
    path: Inversion,
    *,
    property_name: str = "single_phase_probability",
    cutoff: float = CUTOFF,
    limits: Limits | None = None,
) -> Design:
    """Return the smallest change that does: on the straight way from the first alloy of a path
    that succeeded to its last, the first that the head gives the property, within the limits.

    Raises:
        MaterialError: if the path did not succeed.
        ModelError: if the model has no such property.
    """
    if not path.succeeded:
        raise MaterialError(
            f"{formula_of(path.steps[0].design.composition)} was not inverted",
            remedy="Allow more steps, a lower cutoff or looser limits.",
        )
    first, last = (path.steps[i].design.composition for i in (0, -1))
    between = [_blend(first, last, i / _SHARES) for i in range(_SHARES)]
    allowed = [a for a in between if limits is None or not limits.violations(a)]
    for design in judge(model, allowed, property_name, limits):
        if design.value >= cutoff:
            return design
    return path.steps[-1].design


def judge(
    model: DvaeModel, alloys: Sequence[Composition], property_name: str, limits: Limits | None
) -> list[Design]:
    """Return what the head says of each alloy.

    Raises:
        MaterialError: if one is no composition of the model's elements.
        ModelError: if the model has no such property.
    """
    column = column_of(model, property_name)
    if not alloys:
        return []
    found = model.assess(alloys)
    is_priced = limits is not None and limits.highest_price is not None
    return [
        Design(
            composition=alloy,
            value=float(found.prediction.mean[i, column]),
            std=float(found.prediction.std[i, column]),
            is_far=bool(found.is_far[i]),
            price=limits.prices.per_kg(alloy) if limits is not None and is_priced else None,
        )
        for i, alloy in enumerate(alloys)
    ]


def _step(model: DvaeModel, alloy: Composition, property_name: str, limits: Limits | None) -> Step:
    (design,) = judge(model, [alloy], property_name, limits)
    z = model.encode([alloy])[0, : model.options.latents]
    return Step(design, tuple(z.tolist()))


def _decode(model: DvaeModel, z: Tensor) -> list[Material]:
    return model.decode(z, seed=0)


def _asking(model: DvaeModel, z: Tensor, property_name: str, value: float) -> Tensor:
    z = z.clone()
    z[:, model.options.latents + column_of(model, property_name)] = value
    return z


def column_of(model: DvaeModel, property_name: str) -> int:
    """Return the property's place among the model's.

    Raises:
        ModelError: if the model has no such property.
    """
    if property_name not in model.property_names:
        raise ModelError(
            f"the model knows no {property_name}",
            remedy=f"It knows {', '.join(model.property_names)}.",
        )
    return model.property_names.index(property_name)


def _within(alloy: Composition, limits: Limits | None, model: DvaeModel) -> Composition | None:
    if limits is None or not limits.violations(alloy):
        return alloy
    fractions = np.array([alloy.get_atomic_fraction(symbol) for symbol in model.elements])
    nearest = limits.nearest(fractions, model.elements)
    return None if nearest is None else model.composition(torch.from_numpy(nearest))


def _blend(here: Composition, there: Composition, share: float) -> Composition:
    symbols = {el.symbol for el in (*here.elements, *there.elements)}
    mixed = {
        symbol: (1 - share) * here.get_atomic_fraction(symbol)
        + share * there.get_atomic_fraction(symbol)
        for symbol in sorted(symbols)
    }
    kept = {symbol: x for symbol, x in mixed.items() if x >= _TRACE}
    return Composition(kept).fractional_composition
