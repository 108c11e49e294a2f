"""Alloys known by their composition alone."""

import math
from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from alloop.space.base import SLACK, Space, sums_of

PART_SLACK = 1e-6
"""Float slack for fractions × parts."""


class Compositions(Space):
    """Alloys known by their composition alone."""

    kind: Literal["compositions"]
    usual_model: ClassVar[str] = "dvae"
    bounds_keys: ClassVar[frozenset[str]] = Space.bounds_keys | {
        "min_elements",
        "max_elements",
        "resolution",
        "step",
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
    step: float = Field(
        default=0.001,
        ge=0.001,
        le=0.5,
        description="least difference of atomic fractions that can be weighed; it divides 1",
    )

    @model_validator(mode="after")
    def _steps_are_possible(self) -> Self:
        if abs(self.n_parts * self.step - 1) > SLACK:
            raise ValueError(
                f"step {self.step:g} does not divide 1; take {1 / self.n_parts:g}, or 0.01"
            )
        bounds = [self.part_bounds(symbol) for symbol in self.elements]
        for symbol, (low, high) in zip(self.elements, bounds, strict=True):
            if low > high:
                raise ValueError(
                    f"no whole number of steps of {self.step:g} lies within the fractions of "
                    f"{symbol}; widen them, or take a finer step"
                )
        least, most = sums_of(bounds)
        if not least <= self.n_parts <= most:
            raise ValueError(
                f"in steps of {self.step:g} the fractions sum to {least * self.step:g} at least "
                f"and {most * self.step:g} at most, never to one; loosen them"
            )
        return self

    @property
    def n_parts(self) -> int:
        """Number of steps of an atomic fraction from 0 to 1."""
        return round(1 / self.step)

    def part_bounds(self, symbol: str) -> tuple[int, int]:
        """Return the fewest and most parts of ``n_parts`` of an element."""
        low, high = self.bounds(symbol)
        return math.ceil(self.n_parts * low - PART_SLACK), math.floor(
            self.n_parts * high + PART_SLACK
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
                f"{self.emptied_by(self._can_mix)}; loosen the bounds, or min_elements and "
                "max_elements"
            )
        return self

    def _can_mix(self, fractions: Mapping[str, tuple[float, float]]) -> bool:
        """Return whether some number of elements can have fractions that sum to one."""
        ends = [fractions.get(symbol, (0.0, 1.0)) for symbol in self.elements]
        needed = [each for each in ends if each[0] > 0]
        others = sorted((high for low, high in ends if low == 0 and high > 0), reverse=True)
        least, most = sums_of(needed)
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
