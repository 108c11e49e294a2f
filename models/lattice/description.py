"""Description in a checkpoint of the lattice model."""

from typing import Literal, Self

from alloop.lattices import LatticeName
from alloop.models import checkpoint
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.options import LatticeOptions


class LatticeDescription(checkpoint.Description):
    """Description of a lattice model: everything but its tensors."""

    kind: Literal["lattice"] = "lattice"
    version: Literal[1] = 1
    options: LatticeOptions
    elements: tuple[str, ...]
    lattices: tuple[LatticeName, ...]
    atoms: int
    count_bounds: dict[str, tuple[int, int]]
    property_names: tuple[str, ...]

    @classmethod
    def of(
        cls, options: LatticeOptions, space: DecorationSpace, property_names: tuple[str, ...]
    ) -> Self:
        """Describe a model."""
        return cls(
            options=options,
            elements=space.elements,
            lattices=space.lattices,
            atoms=space.atoms,
            count_bounds=dict(zip(space.elements, space.count_bounds, strict=True)),
            property_names=property_names,
        )
