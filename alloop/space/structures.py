"""Crystals of any structure."""

from typing import ClassVar, Literal

from pydantic import Field

from alloop.space.base import CrystalSpace

MOST_ELEMENTS = 5
"""Largest number of elements in one of AFLOW's prototypes that come with pymatgen."""


class Structures(CrystalSpace):
    """Crystals of any structure."""

    kind: Literal["structures"]
    usual_model: ClassVar[str] = "ftcp"
    bounds_keys: ClassVar[frozenset[str]] = CrystalSpace.bounds_keys | {"max_atoms", "max_elements"}
    max_atoms: int = Field(
        default=40, ge=1, le=500, description="largest number of atoms in one cell"
    )

    max_elements: int | None = Field(
        default=None, ge=1, description="largest number of elements in one cell; any, if null"
    )

    def most_atoms(self) -> int:
        """Return the number of atoms of the largest cell."""
        return self.max_atoms

    def most_elements(self) -> int:
        """Return the largest number of elements in a cell that is proposed: without a limit of the
        space's own, that of the known structure types."""
        return min(len(self.elements), self.max_atoms, self.max_elements or MOST_ELEMENTS)
