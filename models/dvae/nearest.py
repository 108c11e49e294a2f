"""The smallest change that gives an alloy a property, among many directions to change it in."""

from collections.abc import Sequence

import numpy as np
import torch
from pymatgen.core import Composition

from alloop.errors import MaterialError
from alloop.materials import composition_of, formula_of
from alloop.models.dvae.decoding import blend, decode_at
from alloop.models.dvae.inversion import Inversion
from alloop.models.dvae.judging import CUTOFF, Design, column_of, judge
from alloop.models.dvae.limits import Limits
from alloop.models.dvae.model import DvaeModel

_COARSE = 8
"""Points on the way to each alloy that an alloy may be changed towards."""
_FINE = 8
"""Points between the first of them that does and the one before."""
_DECODED = 16
_WIDEST = 1.0
"""How far around the first alloy's z is decoded; z itself has a standard deviation of 1."""
_KNOWN = 32


def nearest_inverted(
    model: DvaeModel,
    path: Inversion,
    *,
    property_name: str = "single_phase_probability",
    cutoff: float = CUTOFF,
    limits: Limits | None = None,
) -> Design:
    """Return the smallest change found, in atoms exchanged, that gives an alloy the property.

    The alloy is changed along straight lines: towards the alloys of its inversion, towards what
    is decoded with the property around its z, and towards the nearest alloys of the data that
    have it by the head. Of all points within the limits at which the head gives the property,
    that with the fewest atoms exchanged is returned; one that is far from the data
    (``Design.is_far``) only where all are.

    Raises:
        MaterialError: if the path did not succeed.
        ModelError: if the model has no such property.
    """
    if not path.succeeded:
        raise MaterialError(
            f"{formula_of(path.steps[0].design.composition)} was not inverted",
            remedy="Allow more steps, a lower cutoff or looser limits.",
        )
    first = path.steps[0].design.composition
    if path.steps[0].design.value >= cutoff:
        return path.steps[0].design
    targets = [
        *(step.design.composition for step in path.steps[1:]),
        *_decoded(model, first, property_name, cutoff),
        *_known(model, first, property_name, cutoff),
    ]
    shares = np.linspace(0, 1, _COARSE + 1)[1:]
    ways = [(target, float(share)) for target in targets for share in shares]
    reached = _reached(model, first, ways, property_name, cutoff, limits)
    if not reached:
        return path.steps[-1].design
    target, share, found = _smallest(first, reached)
    between = np.linspace(share - 1 / _COARSE, share, _FINE + 1)[1:-1]
    nearer = [(target, float(share)) for share in between]
    better = _reached(model, first, nearer, property_name, cutoff, limits)
    better = [way for way in better if way[2].is_far <= found.is_far]
    return _smallest(first, better)[2] if better else found


def atoms_exchanged(one: Composition, other: Composition) -> float:
    """Return the share of atoms in which two alloys differ."""
    symbols = {el.symbol for el in (*one.elements, *other.elements)}
    gaps = (one.get_atomic_fraction(s) - other.get_atomic_fraction(s) for s in symbols)
    return sum(map(abs, gaps)) / 2


_Way = tuple[Composition, float]
"""An alloy, and how far towards it."""


def _reached(
    model: DvaeModel,
    first: Composition,
    ways: Sequence[_Way],
    property_name: str,
    cutoff: float,
    limits: Limits | None,
) -> list[tuple[Composition, float, Design]]:
    """Return the ways at whose end the head gives the property, within the limits."""
    ends = [(target, share, blend(first, target, share)) for target, share in ways]
    allowed = [end for end in ends if limits is None or not limits.violations(end[2])]
    designs = judge(model, [alloy for _, _, alloy in allowed], property_name, limits)
    return [
        (target, share, design)
        for (target, share, _), design in zip(allowed, designs, strict=True)
        if design.value >= cutoff
    ]


def _smallest(
    first: Composition, reached: Sequence[tuple[Composition, float, Design]]
) -> tuple[Composition, float, Design]:
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


@torch.no_grad()
def _known(
    model: DvaeModel, first: Composition, property_name: str, cutoff: float
) -> list[Composition]:
    generator = model.generator
    gaps = torch.cdist(model.fractions_of([first]), generator.known, p=1.0)[0]
    rows = generator.known[gaps.argsort()[: 4 * _KNOWN]]
    has_it = generator.believe(rows).mean[:, column_of(model, property_name)] >= cutoff
    return [composition_of(model.composition(row)) for row in rows[has_it][:_KNOWN]]
