"""Objectives and constraints, and properties of one's own."""

from math import isfinite
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from alloop.campaigns.spelling import british_word
from alloop.properties import ENERGY_ABOVE_HULL, FORMATION_ENERGY

ELECTRONIC = ("band_gap", "power_factor")
"""Electronic properties, which no potential knows: VASP computes them, or they are looked up, or
entered by a person."""

DERIVED = MappingProxyType(
    {
        ENERGY_ABOVE_HULL: FORMATION_ENERGY,
        "parent_lattice_kept": "volume_per_atom",
    }
)
"""Properties that a campaign derives from what its oracles measure, unless they measure it
themselves: energies above the hull of everything a tier has measured so far; and whether the
relaxed sites still form the fcc or bcc lattice that they were proposed on, 1 or 0."""


PropertyName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""Name of a property; the spec checks that it is known, since it may declare its own."""

RESERVED = frozenset(
    {"candidate", "chosen", "failed", "formula", "lattice", "margin", "round", "stage", "tier"}
)
"""Names of columns in tables that people fill in or read; no property can have these names."""


class OwnProperty(BaseModel):
    """A property that the table of units lacks, as a spec declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    unit: str = Field(
        min_length=1,
        max_length=32,
        pattern=r"^[^\x00-\x1f\x7f,;]+$",
        description="unit as it stands beside a number, such as V; – for a pure number",
    )


class _PropertyTarget(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    property: PropertyName
    unit: str | None = Field(default=None, description="checked, if given")


class Objective(_PropertyTarget):
    """Objective: a property with a direction or a window."""

    goal: Annotated[Literal["maximise", "minimise", "window"], BeforeValidator(british_word)]
    window: tuple[float, float] | None = Field(default=None, description="low and high, for window")
    reference: float | None = Field(
        default=None,
        description="with several objectives, the value that a candidate has to beat to count at "
        "all: hypervolumes are measured from there; for a window, a value outside of it. By "
        "default a tenth of the scale below the worst feasible one of the first labels, outliers "
        "left out",
    )
    weight: float = Field(
        default=1.0, gt=0, description="against the other objectives, with weighted-sum"
    )
    scale: float | None = Field(
        default=None,
        gt=0,
        description="with weighted-sum, what the objective is divided by, in its unit; by default "
        "the spread of the first labels (interquartile range / 1.349)",
    )

    @model_validator(mode="after")
    def _window_belongs_to_its_goal(self) -> Self:
        if (self.goal == "window") != (self.window is not None):
            raise ValueError("goal: window needs window: [low, high], and only that goal takes it")
        if self.window is not None and self.window[0] >= self.window[1]:
            raise ValueError(f"the window {list(self.window)} is empty; write [low, high]")
        if self.reference is not None and not isfinite(self.reference):
            raise ValueError(f"the reference {self.reference} is no finite number")
        if (
            self.window is not None
            and self.reference is not None
            and not self.utility(self.reference)
        ):
            raise ValueError(
                f"nothing is better than the reference {self.reference:g}, which lies in the "
                f"window {list(self.window)}; give a value outside of it"
            )
        return self

    def value_at(self, utility: float) -> float:
        """Return the value with a utility; for a window, the one below it."""
        if self.window is not None:
            return self.window[0] + utility
        return utility if self.goal == "maximise" else -utility

    def utility(self, value: float) -> float:
        """Return the utility of a value, in the property's unit; more is better, 0 in the
        window."""
        if self.goal == "window":
            assert self.window is not None
            low, high = self.window
            return -max(low - value, value - high, 0.0)
        return value if self.goal == "maximise" else -value


class Constraint(_PropertyTarget):
    """Constraint: a property that must stay within bounds, in its unit; the bounds themselves are
    allowed."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}; nothing can satisfy it")
        return self

    def margin(self, value: float) -> float:
        """Return the distance inside the bounds, in the property's unit; negative means outside."""
        low = float("inf") if self.min is None else value - self.min
        high = float("inf") if self.max is None else self.max - value
        return min(low, high)
