"""Inversion (Fig. 7): change an alloy until it has a property, or as little as that takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pymatgen.core import Composition
from torch import Tensor

from alloop.errors import MaterialError
from alloop.materials import Material, composition_of, formula_of
from alloop.models.dvae.design import (
    CUTOFF,
    JudgedAlloy,
    decode_at,
    judge,
    within,
)
from alloop.models.dvae.limits import Limits
from alloop.models.dvae.model import DvaeModel
from alloop.models.metrics.exchanged import atoms_exchanged

_TRACE = 0.005
"""Element fractions below this are left out after a step."""
_COARSE = 8
"""Points on the way to each alloy that an alloy may be changed towards."""
_FINE = 8
"""Points between the first of them that does and the one before."""
_DECODED = 16
_WIDEST = 1.0
"""How far around the first alloy's z is decoded; z itself has a standard deviation of 1."""
_KNOWN = 32


@dataclass(frozen=True)
class InversionStep:
    """One alloy of an inversion."""

    design: JudgedAlloy
    z: tuple[float, ...]
    """Where it was encoded."""


@dataclass(frozen=True)
class Inversion:
    """The whole path from an alloy to one with the property inverted."""

    steps: tuple[InversionStep, ...]
    """The first is the alloy itself."""
    succeeded: bool

    @property
    def kept(self) -> tuple[str, ...]:
        """Return the elements of the first alloy that the last still has."""
        first, last = (step.design.composition for step in (self.steps[0], self.steps[-1]))
        return tuple(el.symbol for el in first.elements if el in last)


def invert(
    model: DvaeModel,
    material: Material,
    *,
    property_name: str = "single_phase_probability",
    cutoff: float = CUTOFF,
    most_steps: int = 10,
    limits: Limits | None = None,
    keep_elements: bool = True,
) -> Inversion:
    """Change an alloy until the head gives a yes-or-no property, by as little as is found.

    Each step encodes the alloy with what the head thinks of it, and decodes at the same z for a
    yes (Fig. 7). That alone may exchange most of the atoms. So before a step is taken the first
    alloy is changed along straight lines: towards what is decoded with the property around its z,
    towards the nearest alloys of the data that have it by the head, and towards the step's own
    alloy. Of all points within the limits at which the head gives the property, that with the
    fewest atoms exchanged ends the path; one that is far from the data (``JudgedAlloy.is_far``)
    only where all are. So it never takes more steps than the published inversion, and succeeds
    wherever that does.

    Args:
        model: trained.
        material: the alloy.
        property_name: of a yes-or-no property.
        cutoff: its least value at the end.
        most_steps: largest number of steps.
        limits: of the alloys, beside those of the model's space.
        keep_elements: whether lines are tried; without, it is the published inversion.

    Raises:
        MaterialError: if the material is no composition of the model's elements, or no alloy
            near a step is within the limits.
        ModelError: if the model has no such property.
    """
    first = alloy = composition_of(material)
    z = model.encode([alloy])
    steps = [_step(model, alloy, z, property_name, limits)]
    targets: list[Composition] = []
    if keep_elements and steps[0].design.value < cutoff and most_steps:
        targets = [
            *_decoded(model, first, property_name, cutoff),
            *_known(model, first, property_name, cutoff),
        ]
    while steps[-1].design.value < cutoff and len(steps) <= most_steps:
        wanted = model.asking(z, property_name, 1.0)
        moved = within(composition_of(model.decode(wanted, seed=0)[0]), limits, model)
        if moved is None:
            raise MaterialError(
                f"no alloy near {formula_of(alloy)} is within the limits",
                remedy="Loosen them: each element needs room between its bounds.",
            )
        if keep_elements:
            targets.append(moved)
            found = _smallest_change(model, first, targets, property_name, cutoff, limits)
            moved, targets = found or moved, []
        alloy = moved
        z = model.encode([alloy])
        steps.append(_step(model, alloy, z, property_name, limits))
    return Inversion(tuple(steps), steps[-1].design.value >= cutoff)


def _step(
    model: DvaeModel, alloy: Composition, z: Tensor, property_name: str, limits: Limits | None
) -> InversionStep:
    (design,) = judge(model, [alloy], property_name, limits)
    return InversionStep(design, tuple(z[0, : model.options.latents].tolist()))


def _smallest_change(
    model: DvaeModel,
    first: Composition,
    targets: Sequence[Composition],
    property_name: str,
    cutoff: float,
    limits: Limits | None,
) -> Composition | None:
    """Return the alloy with the property on the ways to others that exchanges the fewest atoms of
    the first; None where there is none."""
    shares = np.linspace(0, 1, _COARSE + 1)[1:]
    ways = [(target, float(share)) for target in targets for share in shares]
    reached = _reached(model, first, ways, property_name, cutoff, limits)
    if not reached:
        return None
    target, share, found = _smallest(first, reached)
    between = np.linspace(share - 1 / _COARSE, share, _FINE + 1)[1:-1]
    nearer = [(target, float(share)) for share in between]
    better = _reached(model, first, nearer, property_name, cutoff, limits)
    better = [way for way in better if way[2].is_far <= found.is_far]
    return _smallest(first, [*better, (target, share, found)])[2].composition


_Way = tuple[Composition, float]
"""An alloy, and how far towards it."""


def _reached(
    model: DvaeModel,
    first: Composition,
    ways: Sequence[_Way],
    property_name: str,
    cutoff: float,
    limits: Limits | None,
) -> list[tuple[Composition, float, JudgedAlloy]]:
    """Return the ways at whose end the head gives the property, within the limits."""
    blends = model.within_space([_blend(first, target, share) for target, share in ways])
    ends = [(*way, blend) for way, blend in zip(ways, blends, strict=True)]
    allowed = [end for end in ends if limits is None or not limits.violations(end[2])]
    designs = judge(model, [alloy for _, _, alloy in allowed], property_name, limits)
    return [
        (target, share, design)
        for (target, share, _), design in zip(allowed, designs, strict=True)
        if design.value >= cutoff
    ]


def _smallest(
    first: Composition, reached: Sequence[tuple[Composition, float, JudgedAlloy]]
) -> tuple[Composition, float, JudgedAlloy]:
    return min(reached, key=lambda way: (way[2].is_far, atoms_exchanged(first, way[2].composition)))


def _decoded(
    model: DvaeModel, first: Composition, property_name: str, cutoff: float
) -> list[Composition]:
    d = model.options.latents
    z = model.encode([first]).repeat(_DECODED, 1)
    widths = torch.linspace(0, _WIDEST, _DECODED)[:, None]
    z[:, :d] += widths * torch.randn(_DECODED, d, generator=torch.Generator().manual_seed(0))
    designs = decode_at(model, z, value=1.0, property_name=property_name)
    return [design.composition for design in designs if design.value >= cutoff]


def smallest_changes(
    model: DvaeModel, material: Material, property_name: str, value: float
) -> tuple[Material, ...]:
    """Return the alloys of an inversion, the smallest change found last; none for a value that is
    no yes, or of a property that is no yes-or-no.

    Raises:
        MaterialError: if the material is no composition of the model's elements.
        ModelError: if the model has no such property.
    """
    column = model.column_of(property_name)
    if column not in model.learned.enumerated or not CUTOFF <= value <= 1.0:
        return ()
    path = invert(model, material, property_name=property_name, cutoff=CUTOFF)
    return tuple(step.design.composition for step in path.steps)


@torch.no_grad()
def _known(
    model: DvaeModel, first: Composition, property_name: str, cutoff: float
) -> list[Composition]:
    learned = model.learned
    gaps = torch.cdist(model.fractions_of([first]), learned.known, p=1.0)[0]
    rows = learned.known[gaps.argsort()[: 4 * _KNOWN]]
    has_it = learned.believe(rows).mean[:, model.column_of(property_name)] >= cutoff
    return [composition_of(model.composition(row)) for row in rows[has_it][:_KNOWN]]


def _blend(here: Composition, there: Composition, share: float) -> Composition:
    """Return the alloy that lies this share of the straight way from one to another."""
    symbols = {el.symbol for el in (*here.elements, *there.elements)}
    mixed = {
        symbol: (1 - share) * here.get_atomic_fraction(symbol)
        + share * there.get_atomic_fraction(symbol)
        for symbol in sorted(symbols)
    }
    kept = {symbol: x for symbol, x in mixed.items() if x >= _TRACE}
    return Composition(kept).fractional_composition
