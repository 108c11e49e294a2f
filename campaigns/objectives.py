"""Properties and their units; what to want of them.

The table below is the only place where a property's name meets its unit.
"""

from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from alloop.campaigns.spelling import spelt

_ELASTIC = {f"c{i}{j}": "GPa" for i in range(1, 7) for j in range(i, 7)}

UNITS = MappingProxyType(
    {
        "bulk_modulus": "GPa",
        "bulk_modulus_hill": "GPa",
        "bulk_modulus_reuss": "GPa",
        "shear_modulus": "GPa",
        "shear_modulus_voigt": "GPa",
        "shear_modulus_reuss": "GPa",
        "youngs_modulus": "GPa",
        "poisson_ratio": "–",
        "born_stability": "GPa",
        **_ELASTIC,
        "energy_per_atom": "eV/atom",
        "formation_energy_per_atom": "eV/atom",
        "energy_above_hull": "eV/atom",
        "energy_above_competing_phase": "eV/atom",
        "surface_energy": "J/m²",
        "surface_energy_100": "J/m²",
        "surface_energy_110": "J/m²",
        "surface_energy_111": "J/m²",
        "stacking_fault_energy": "mJ/m²",
        "volume_per_atom": "Å³/atom",
        "volume_per_atom_at_temperature": "Å³/atom",
        "thermal_expansion": "10⁻⁶/K",
        "crystal_fraction": "–",
        "parent_lattice_kept": "–",
        "density": "g/cm³",
        "band_gap": "eV",
        "single_phase_probability": "–",
        "power_factor": "µW/(cm K²)",
    }
)
"""Unit of every property, by name."""

OF_ELECTRONS = ("band_gap", "power_factor")
"""Properties that no tier computes: they are looked up, or entered by a person."""

DERIVED = MappingProxyType(
    {
        "energy_above_hull": "formation_energy_per_atom",
        "parent_lattice_kept": "volume_per_atom",
    }
)
"""Properties that a campaign derives from what its oracles measure, unless they measure it
themselves: energies above the hull of everything a tier has measured so far; and whether the
relaxed sites still form the fcc or bcc lattice that they were proposed on, 1 or 0."""


def _known(name: str) -> str:
    if name not in UNITS:
        raise ValueError(f"unknown property {name!r}; known are {', '.join(UNITS)}")
    return name


PropertyName = Annotated[str, AfterValidator(_known)]


class _Wish(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    property: PropertyName
    unit: str | None = Field(default=None, description="if given, checked against the table")

    @model_validator(mode="after")
    def _unit_agrees(self) -> Self:
        if self.unit is not None and self.unit != UNITS[self.property]:
            raise ValueError(
                f"{self.property} is in {UNITS[self.property]}, not in {self.unit!r}; "
                f"convert the numbers and write unit: {UNITS[self.property]}, or leave it out"
            )
        return self


class Objective(_Wish):
    """A property and what to want of it."""

    goal: Annotated[Literal["maximise", "minimise", "window"], BeforeValidator(spelt)]
    window: tuple[float, float] | None = Field(default=None, description="low and high, for window")
    weight: float = Field(default=1.0, gt=0, description="against the other objectives")

    @model_validator(mode="after")
    def _window_belongs_to_its_goal(self) -> Self:
        if (self.goal == "window") != (self.window is not None):
            raise ValueError("goal: window needs window: [low, high], and only that goal takes it")
        if self.window is not None and self.window[0] >= self.window[1]:
            raise ValueError(f"the window {list(self.window)} is empty; write [low, high]")
        return self

    def utility(self, value: float) -> float:
        """Return how good a value is, in the property's unit; more is better, 0 in the window."""
        if self.goal == "window":
            assert self.window is not None
            low, high = self.window
            return -max(low - value, value - high, 0.0)
        return value if self.goal == "maximise" else -value


class Constraint(_Wish):
    """A property that must stay within bounds, in its unit; the bounds themselves are allowed."""

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
        """Return how far inside the bounds a value lies, in its unit; negative means outside."""
        low = float("inf") if self.min is None else value - self.min
        high = float("inf") if self.max is None else self.max - value
        return min(low, high)
