"""Description in a checkpoint of the lattice model."""

from typing import Literal, Self

from pydantic import Field, model_validator

from alloop.models import checkpoint
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.options import LatticeOptions
from alloop.parents.consistency import layout_problem
from alloop.parents.layout import Layout, OpenSublattice, Supercell
from alloop.parents.rules import CountRules


class LatticeDescription(checkpoint.Description):
    """Description of a lattice model: everything but its tensors."""

    kind: Literal["lattice"] = "lattice"
    version: Literal[2] = 2
    options: LatticeOptions
    supercells: tuple[Supercell, ...]
    sublattices: tuple[OpenSublattice, ...]
    charges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    max_elements: int | None = None
    price_excess: dict[str, float] = Field(default_factory=dict)
    property_names: tuple[str, ...]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """Refuse supercells and sublattices that contradict one another."""
        layout = Layout(self.supercells, self.sublattices)
        if (problem := layout_problem(layout)) is not None:
            raise ValueError(problem)
        return self

    @classmethod
    def of(
        cls, options: LatticeOptions, space: DecorationSpace, property_names: tuple[str, ...]
    ) -> Self:
        """Describe a model."""
        return cls(
            options=options,
            supercells=space.layout.supercells,
            sublattices=space.layout.sublattices,
            charges=dict(space.rules.charges),
            max_elements=space.rules.max_elements,
            price_excess=dict(space.rules.price_excess),
            property_names=property_names,
        )

    def decorations(self) -> DecorationSpace:
        """Return the decorations that the model knows."""
        layout = Layout(self.supercells, self.sublattices)
        rules = CountRules(layout, self.charges, self.max_elements, self.price_excess)
        return DecorationSpace(rules)
