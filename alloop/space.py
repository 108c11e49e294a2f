"""What may be proposed: elements and their fractions, and what is made of them.

There are three kinds of space: decorations of a parent lattice, crystals of any structure, and
compositions without a structure.
"""

import math
from collections.abc import Callable, Mapping, Sequence
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
    bounds_keys: ClassVar[frozenset[str]] = frozenset({"fractions"})
    """Keys that say how far it reaches: a campaign that has begun may change them."""
    extensible_keys: ClassVar[frozenset[str]] = frozenset({"elements"})
    """Keys with lists that such a campaign may add to, and take nothing from."""

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
        least, most = _sums([self.bounds(symbol) for symbol in self.elements])
        if not _holds_one(least, most):
            raise ValueError(
                f"the fractions sum to {least:g} at least and {most:g} at most, never to one; "
                f"{self._emptied_by(self._can_sum_to_one)}; loosen the bounds"
            )
        return self

    def _can_sum_to_one(self, fractions: Mapping[str, tuple[float, float]]) -> bool:
        bounds = [fractions.get(symbol, (0.0, 1.0)) for symbol in self.elements]
        return _holds_one(*_sums(bounds))

    def _emptied_by(self, is_possible: Callable[[Mapping[str, tuple[float, float]]], bool]) -> str:
        """Return which bound empties the space, in the order in which they stand, as text."""
        taken: dict[str, tuple[float, float]] = {}
        for symbol, ends in self.fractions.items():
            taken[symbol] = ends
            if not is_possible(taken):
                return f"nothing is left with [{ends[0]:g}, {ends[1]:g}] of {symbol}"
        return "no single bound is to blame"

    def is_certainly_possible(self) -> bool:
        """Return whether these checks already tell that something lies in the space, so that no
        material has to be made to see it."""
        return False

    def bounds(self, symbol: str) -> tuple[float, float]:
        """Return the lowest and highest allowed fraction of an element."""
        return self.fractions.get(symbol, (0.0, 1.0))


def _sums(bounds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the least and the largest sum of numbers within bounds."""
    return sum(low for low, _ in bounds), sum(high for _, high in bounds)


def _holds_one(least: float, most: float) -> bool:
    return least - SLACK <= 1 <= most + SLACK


class CrystalSpace(Space):
    """A space whose materials have sites."""

    bounds_keys: ClassVar[frozenset[str]] = Space.bounds_keys | {"min_distance"}

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
    extensible_keys: ClassVar[frozenset[str]] = Space.extensible_keys | {"lattices"}
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
        least, most = _sums(list(bounds.values()))
        if not least <= self.atoms <= most:
            raise ValueError(
                f"the fractions allow {least:g} to {most:g} atoms, never {self.atoms}; "
                f"{self._emptied_by(self._can_fill_a_cell)}; "
                "loosen the bounds so that they can sum to one"
            )
        return self

    def _can_fill_a_cell(self, fractions: Mapping[str, tuple[float, float]]) -> bool:
        ends = [fractions.get(symbol, (0.0, 1.0)) for symbol in self.elements]
        least, most = _sums([self._counts(*each) for each in ends])
        return least <= self.atoms <= most

    def _counts(self, low: float, high: float) -> tuple[int, int]:
        """Return the fewest and most atoms within two fractions."""
        return math.ceil(low * self.atoms - SLACK), math.floor(high * self.atoms + SLACK)

    def most_atoms(self) -> int:
        """Return the number of atoms of every cell."""
        return self.atoms

    def is_certainly_possible(self) -> bool:
        """Return whether the least distance is no larger than usual: below that of every metal."""
        return self.min_distance <= type(self).model_fields["min_distance"].default

    def count_bounds(self) -> dict[str, tuple[int, int]]:
        """Return the fewest and most atoms of each element in a cell, in the order given."""
        return {symbol: self._counts(*self.bounds(symbol)) for symbol in self.elements}


class Structures(CrystalSpace):
    """Crystals of any structure."""

    kind: Literal["structures"]
    usual_model: ClassVar[str] = "ftcp"
    bounds_keys: ClassVar[frozenset[str]] = CrystalSpace.bounds_keys | {"max_atoms"}
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
    bounds_keys: ClassVar[frozenset[str]] = Space.bounds_keys | {
        "min_elements",
        "max_elements",
        "resolution",
    }
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
        if not self._can_mix(self.fractions):
            raise ValueError(
                f"no alloy of {fewest} to {most} elements has these fractions; "
                f"{self._emptied_by(self._can_mix)}; loosen the bounds, or min_elements and "
                "max_elements"
            )
        return self

    def _can_mix(self, fractions: Mapping[str, tuple[float, float]]) -> bool:
        """Return whether some number of elements can have fractions that sum to one."""
        ends = [fractions.get(symbol, (0.0, 1.0)) for symbol in self.elements]
        needed = [each for each in ends if each[0] > 0]
        others = sorted((high for low, high in ends if low == 0 and high > 0), reverse=True)
        least, most = _sums(needed)
        fewest = max(self.min_elements, len(needed), 1)
        largest = len(self.elements) if self.max_elements is None else self.max_elements
        for number in range(fewest, min(largest, len(needed) + len(others)) + 1):
            n_others = number - len(needed)
            # What another element is to have a part of must be left over.
            room = 1 - least > SLACK if n_others else least <= 1 + SLACK
            if room and most + sum(others[:n_others]) >= 1 - SLACK:
                return True
        return False

    def is_certainly_possible(self) -> bool:
        """Return true: numbers and fractions of elements are all that there is to meet."""
        return True

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
