"""The iterative inversion of Fig. 7: change an alloy until it has a property."""

from dataclasses import dataclass

from pymatgen.core import Composition
from torch import Tensor

from alloop.errors import MaterialError
from alloop.materials import Material, composition_of, formula_of
from alloop.models.dvae.decoding import asking, within
from alloop.models.dvae.judging import CUTOFF, Design, judge
from alloop.models.dvae.limits import Limits
from alloop.models.dvae.model import DvaeModel


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
    z = model.encode([alloy])
    steps = [_step(model, alloy, z, property_name, limits)]
    while steps[-1].design.value < cutoff and len(steps) <= most_steps:
        wanted = asking(model, z, property_name, 1.0)
        moved = within(composition_of(model.decode(wanted, seed=0)[0]), limits, model)
        if moved is None:
            raise MaterialError(
                f"no alloy near {formula_of(alloy)} is within the limits",
                remedy="Loosen them: each element needs room between its bounds.",
            )
        alloy = moved
        z = model.encode([alloy])
        steps.append(_step(model, alloy, z, property_name, limits))
    return Inversion(tuple(steps), steps[-1].design.value >= cutoff)


def _step(
    model: DvaeModel, alloy: Composition, z: Tensor, property_name: str, limits: Limits | None
) -> Step:
    (design,) = judge(model, [alloy], property_name, limits)
    return Step(design, tuple(z[0, : model.options.latents].tolist()))
