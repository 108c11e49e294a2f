"""What may be proposed: elements and their fractions, and what is made of them.

There are three kinds of space: decorations of a parent lattice, crystals of any structure, and
compositions without a structure.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from alloop.elements import checked_symbol
from alloop.lattices import LatticeName

SLACK = 1e-9
"""Float slack for fractions × atoms: 0.6 * 5 == 3.0000000000000004."""


Symbol = Annotated[str, AfterValidator(checked_symbol)]

SPACE_KINDS = ("decorations", "structures", "compositions")
"""The kinds of space."""


class Space(BaseModel):
    """Base of every kind of space: its elements, and the bounds of their fractions."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str
    usual_model: ClassVar[str] = ""
    """Kind of the model that learns it where a spec names none."""

    elements: tuple[Symbol, ...] = Field(min_length=1)
    fractions: Mapping[Symbol, tuple[float, float]] = Field(
        default_factory=dict, description="lowest and highest atomic fraction, 0–1 if left out"
    )

    @model_validator(mode="after")
    def _fractions_are_possible(self) -> Self:
        if len(set(self.elements)) != len(self.elements):
            raise ValueError(f"elements {list(self.elements)} names one twice")
        if stray := sorted(set(self.fractions) - set(self.elements)):
            raise ValueError(
                f"fractions bounds {', '.join(stray)}, which elements does not list; "
                "add it there or remove the bound"
            )
        for symbol, (low, high) in self.fractions.items():
            if not 0 <= low <= high <= 1:
                raise ValueError(
                    f"the fractions of {symbol}, [{low:g}, {high:g}], must satisfy "
                    "0 ≤ low ≤ high ≤ 1 (fractions, not percent)"
                )
        least, most = (sum(self.bounds(symbol)[i] for symbol in self.elements) for i in (0, 1))
        if not least - SLACK <= 1 <= most + SLACK:
            raise ValueError(
                f"the fractions sum to {least:g} at least and {most:g} at most, never to one; "
                "loosen the bounds"
            )
        return self

    def bounds(self, symbol: str) -> tuple[float, float]:
        """Return the lowest and highest allowed fraction of an element."""
        return self.fractions.get(symbol, (0.0, 1.0))


class CrystalSpace(Space):
    """A space whose materials have sites."""

    min_distance: float = Field(
        default=1.5, gt=0, description="least distance between any two atoms, Å"
    )

    def most_atoms(self) -> int:
        """Return the number of atoms of the largest cell."""
        raise NotImplementedError


class Decorations(CrystalSpace):
    """Orderings of the elements on the sites of a parent lattice."""

    kind: Literal["decorations"] = "decorations"
    usual_model: ClassVar[str] = "lattice"
    lattices: tuple[LatticeName, ...] = Field(default=("fcc", "bcc"), min_length=1)
    atoms: int = Field(default=54, description="atoms per cell: 2 n³, that is 2, 16, 54, 128, …")

    @model_validator(mode="after")
    def _cells_are_possible(self) -> Self:
        if len(set(self.lattices)) != len(self.lattices):
            raise ValueError(f"lattices {list(self.lattices)} names one twice")
        if self.atoms < 1 or 2 * round((self.atoms / 2) ** (1 / 3)) ** 3 != self.atoms:
            raise ValueError(
                f"{self.atoms} atoms do not fill n × n × n two-atom cells; take 2, 16, 54 or 128"
            )
        bounds = self.count_bounds()
        if empty := [symbol for symbol, (low, high) in bounds.items() if low > high]:
            raise ValueError(
                f"no whole number of {empty[0]} atoms out of {self.atoms} lies within its "
                "fractions; widen them or take a larger cell"
            )
        least, most = (sum(b[i] for b in bounds.values()) for i in (0, 1))
        if not least <= self.atoms <= most:
            raise ValueError(
                f"the fractions allow {least} to {most} atoms, never {self.atoms}; "
                "loosen the bounds so that they can sum to one"
            )
        return self

    def most_atoms(self) -> int:
        """Return the number of atoms of every cell."""
        return self.atoms

    def count_bounds(self) -> dict[str, tuple[int, int]]:
        """Return the fewest and most atoms of each element in a cell, in the order given."""
        return {
            symbol: (
                math.ceil(self.bounds(symbol)[0] * self.atoms - SLACK),
                math.floor(self.bounds(symbol)[1] * self.atoms + SLACK),
            )
            for symbol in self.elements
        }


class Structures(CrystalSpace):
    """Crystals of any structure."""

    kind: Literal["structures"]
    usual_model: ClassVar[str] = "ftcp"
    max_atoms: int = Field(
        default=40, ge=1, le=500, description="largest number of atoms in one cell"
    )

    def most_atoms(self) -> int:
        """Return the number of atoms of the largest cell."""
        return self.max_atoms


class Compositions(Space):
    """Alloys known by their composition alone."""

    kind: Literal["compositions"]
    usual_model: ClassVar[str] = "dvae"
    min_elements: int = Field(default=1, ge=1, description="least number of elements in one alloy")
    max_elements: int | None = Field(
        default=None, ge=1, description="largest number of elements in one alloy; any, if null"
    )
    resolution: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="alloys of which no atomic fraction differs by more are not both measured",
    )

    @model_validator(mode="after")
    def _numbers_are_possible(self) -> Self:
        needed = sum(self.bounds(symbol)[0] > 0 for symbol in self.elements)
        fewest, most = self.element_numbers()
        if not fewest <= most:
            raise ValueError(
                f"alloys of {fewest} to {most} elements cannot be made of {len(self.elements)} "
                f"elements, {needed} of which have a lowest fraction"
            )
        return self

    def element_numbers(self) -> tuple[int, int]:
        """Return the least and largest number of elements in an alloy."""
        needed = sum(self.bounds(symbol)[0] > 0 for symbol in self.elements)
        most = len(self.elements) if self.max_elements is None else self.max_elements
        if needed > most:
            return needed, most
        return max(self.min_elements, needed), min(most, len(self.elements))


def _decorations_unless_said(value: Any) -> Any:
    return {"kind": "decorations", **value} if isinstance(value, dict) else value


AnySpace = Annotated[
    Decorations | Structures | Compositions,
    Field(discriminator="kind"),
    BeforeValidator(_decorations_unless_said),
]
