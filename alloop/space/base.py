"""What every kind of space has: elements, and the bounds of their fractions."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from alloop.elements import checked_symbol
from alloop.errors import PluginError
from alloop.kinds import SCREENS, find_kind

SLACK = 1e-9
"""Float slack for fractions × atoms: 0.6 * 5 == 3.0000000000000004."""


Symbol = Annotated[str, AfterValidator(checked_symbol)]


class Space(BaseModel):
    """Base of every kind of space: its elements, and the bounds of their fractions."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str
    usual_model: ClassVar[str] = ""
    """Kind of the model that learns it where a spec names none."""
    bounds_keys: ClassVar[frozenset[str]] = frozenset(
        {"fractions", "banned", "prices", "max_price", "screens"}
    )
    """Keys that say how far it reaches: a campaign that has begun may change them."""
    extensible_keys: ClassVar[frozenset[str]] = frozenset({"elements"})
    """Keys with lists that such a campaign may add to, and take nothing from."""

    elements: tuple[Symbol, ...] = Field(min_length=1)
    fractions: Mapping[Symbol, tuple[float, float]] = Field(
        default_factory=dict, description="lowest and highest atomic fraction, 0–1 if left out"
    )
    banned: tuple[Symbol, ...] = Field(
        default=(), description="elements that are taken out of whatever else lists them"
    )
    prices: Mapping[Symbol, float] = Field(
        default_factory=dict, description="price of every element per kg, in one currency"
    )
    max_price: float | None = Field(
        default=None, gt=0, description="largest price of a candidate per kg, by its elements'"
    )
    screens: tuple[str, ...] = Field(
        default=(), description="own rules by name, of installed packages (alloop.screens)"
    )

    @model_validator(mode="before")
    @classmethod
    def _without_banned(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or not value.get("banned"):
            return value
        banned = set(value["banned"])
        left = dict(value)
        if value.get("elements"):
            left["elements"] = [each for each in value["elements"] if each not in banned]
            if value["elements"] and not left["elements"]:
                raise ValueError("every element is banned; loosen banned")
        for key in ("fractions", "prices", "charges"):
            if value.get(key):
                left[key] = {el: each for el, each in value[key].items() if el not in banned}
        return left

    @field_validator("screens")
    @classmethod
    def _screens_are_installed(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                find_kind(SCREENS, name)
            except PluginError as error:
                raise ValueError(f"{error.what}. {error.remedy}") from error
        return names

    @model_validator(mode="after")
    def _prices_are_known(self) -> Self:
        if self.max_price is None:
            if self.prices:
                raise ValueError("prices change nothing without max_price; add it")
            return self
        if missing := [symbol for symbol in self.elements if symbol not in self.prices]:
            raise ValueError(f"max_price needs the prices of {', '.join(missing)}; add them")
        if bad := [symbol for symbol, price in self.prices.items() if not price >= 0]:
            raise ValueError(f"the price of {bad[0]} is {self.prices[bad[0]]}; it is 0 or more")
        if min(self.prices[symbol] for symbol in self.elements) > self.max_price:
            raise ValueError(
                f"every element costs more than max_price, {self.max_price:g} per kg; raise it"
            )
        return self

    @cached_property
    def price_excess(self) -> Mapping[str, float]:
        """What a mole of each element costs beyond ``max_price`` per kg; sums over a candidate's
        atoms are at most 0. Empty where the price is of no account."""
        if self.max_price is None:
            return {}
        from pymatgen.core import Element  # noqa: PLC0415 (a spec without prices needs none)

        return {
            symbol: float(Element(symbol).atomic_mass) * (price - self.max_price) / 1000
            for symbol, price in self.prices.items()
        }

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

    bounds_keys: ClassVar[frozenset[str]] = Space.bounds_keys | {"min_distance", "min_distances"}

    min_distance: float = Field(
        default=1.5, gt=0, description="least distance between any two atoms, Å"
    )
    min_distances: Mapping[str, float] = Field(
        default_factory=dict, description="least distance of pairs of elements, Å: {O-O: 2.2}"
    )

    @model_validator(mode="after")
    def _pairs_are_elements(self) -> Self:
        for pair, distance in self.min_distances.items():
            if len(symbols := pair.split("-")) != 2 or set(symbols) - set(self.elements):
                raise ValueError(
                    f"min_distances.{pair} names no pair of the space's elements; write O-O or Ti-O"
                )
            if not 0 < distance < 10:
                raise ValueError(f"min_distances.{pair} is {distance:g} Å; give 0 to 10")
        return self

    def most_atoms(self) -> int:
        """Return the number of atoms of the largest cell."""
        raise NotImplementedError
