"""What every kind of space has: elements, and the bounds of their fractions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from alloop.elements import checked_symbol

SLACK = 1e-9
"""Float slack for fractions × atoms: 0.6 * 5 == 3.0000000000000004."""


Symbol = Annotated[str, AfterValidator(checked_symbol)]


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
        least, most = sums_of([self.bounds(symbol) for symbol in self.elements])
        if not holds_one(least, most):
            raise ValueError(
                f"the fractions sum to {least:g} at least and {most:g} at most, never to one; "
                f"{self.emptied_by(self.can_sum_to_one)}; loosen the bounds"
            )
        return self

    def can_sum_to_one(self, fractions: Mapping[str, tuple[float, float]]) -> bool:
        """Return whether fractions within these bounds can sum to one."""
        bounds = [fractions.get(symbol, (0.0, 1.0)) for symbol in self.elements]
        return holds_one(*sums_of(bounds))

    def emptied_by(self, is_possible: Callable[[Mapping[str, tuple[float, float]]], bool]) -> str:
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


def sums_of(bounds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the least and the largest sum of numbers within bounds."""
    return sum(low for low, _ in bounds), sum(high for _, high in bounds)


def holds_one(least: float, most: float) -> bool:
    """Return whether sums from the least to the largest include one."""
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
