"""Inverse design, three ways (section 3.3): screen, decode at a chosen property, or invert."""

from collections.abc import Sequence

from alloop.materials import Material, composition_of
from alloop.models.dvae.decoding import around, decode_at
from alloop.models.dvae.inversion import Inversion, Step, invert
from alloop.models.dvae.judging import CUTOFF, Design, judge
from alloop.models.dvae.limits import Limits
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.nearest import nearest_inverted

__all__ = [
    "CUTOFF",
    "Design",
    "Inversion",
    "Step",
    "around",
    "decode_at",
    "invert",
    "nearest_inverted",
    "screen",
]


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
