"""Crystals of any structure."""

from typing import ClassVar, Literal

from pydantic import Field

from alloop.space.base import CrystalSpace


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
