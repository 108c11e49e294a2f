"""Strain derivatives that are checked: against a second strain, and where they disagree by a fit.

A derivative at one small strain is that of whatever kink the potential has there: the bulk modulus
of one ordering of fcc Cu6Ni10 is 303 GPa at a strain of 1e-6 and 180 at 5e-3 under CuNi.eam.alloy,
whose table has 500 points. So every derivative is taken again at wider strains, ``CHECK_STRAINS``.
Where one differs by more than ``MAX_DISAGREEMENT``, a fit over wider strains decides; where the
points scatter so much about the fit that it is no more certain than ``MAX_FIT_ERROR``, the value is
in doubt.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed

Array = NDArray[np.float64]

CHECK_STRAINS = (5e-3, 1e-2)
"""Strains of every length at which a derivative is taken again. Half a percent and one are what
elastic constants by DFT are taken at (de Jong et al., Sci. Data 2 (2015) 150009), and several
steps of a potential's table. Central differences of smooth metals change by 0.1 % and 0.4 % up to
there. Two, since an artefact of one sort of kink may agree with another's by chance."""
MAX_DISAGREEMENT = 0.015
"""Largest relative difference of a derivative at a wider strain from the usual one, if they
agree."""
MAX_FIT_ERROR = 0.02
"""Largest standard error of a fit that decides, relative to its value."""
FIT_STRAINS = (-0.02, -0.015, -0.01, -0.005, 0.005, 0.01, 0.015, 0.02)
"""Strains of every length of the fit that decides on a bulk modulus: ± 6 % of volume, as equations
of state by DFT are fitted over (Latimer et al., npj Comput. Mater. 4 (2018) 40)."""
SHEAR_FIT_STRAINS = (-0.015, -0.01, -0.005, 0.005, 0.01, 0.015)
"""Strains of the fit that decides on elastic constants, one component at a time."""


@dataclass(frozen=True)
class CheckedProperties:
    """Properties with what their checks found."""

    values: Mapping[str, float]
    """Values by property name."""
    doubts: Mapping[str, str] = field(default_factory=dict)
    """Reason for which a value is not to be relied on, by property name."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """What was found and settled, by property name: an artefact, and the value that stands for
    it."""

    def __or__(self, other: "CheckedProperties | Mapping[str, float]") -> "CheckedProperties":
        more = other if isinstance(other, CheckedProperties) else CheckedProperties(other)
        return CheckedProperties(
            {**self.values, **more.values},
            {**self.doubts, **more.doubts},
            {**self.remarks, **more.remarks},
        )


@dataclass(frozen=True)
class Fit:
    """Fitted derivative with its standard error, in GPa."""

    value: float
    error: float

    @property
    def is_certain(self) -> bool:
        """Whether the standard error is small enough to decide by."""
        return self.value > 0 and self.error <= MAX_FIT_ERROR * self.value


@dataclass(frozen=True)
class SeveralStrains:
    """A modulus at the usual strain and at wider ones, GPa; NaN where it could not be had."""

    strain: float
    value: float
    wider: Mapping[float, float]
    """Values by strain."""

    @property
    def agree(self) -> bool:
        """Whether none differs by more than ``MAX_DISAGREEMENT``; nothing agrees with NaN."""
        most = MAX_DISAGREEMENT * abs(self.value)
        return all(abs(other - self.value) <= most for other in self.wider.values())

    def decided(self, name: str, fit: Fit, fitted: str) -> CheckedProperties:
        """Return the property where they disagree: the fit's value with a remark, or the value at
        the usual strain with a doubt.

        Args:
            name: of the property.
            fit: over wider strains; its values may be NaN.
            fitted: what was fitted, for people.
        """
        elsewhere = ", ".join(f"{value:.1f} at {strain:g}" for strain, value in self.wider.items())
        found = f"{self.value:.1f} GPa at a strain of {self.strain:g}, {elsewhere}"
        outcome = f"{fitted} gives {fit.value:.1f} ± {fit.error:.1f}"
        if fit.is_certain:
            remark = f"artefact of one strain: {found}; {outcome}, which is the value given"
            return CheckedProperties({name: fit.value}, remarks={name: remark})
        values = [each for each in (self.value, *self.wider.values()) if np.isfinite(each)]
        return CheckedProperties(
            {name: values[0] if values else np.nan},
            doubts={name: f"unreliable: {found}; {outcome}"},
        )


@dataclass(frozen=True)
class PressureAt:
    """Pressure at a volume."""

    volume: float
    """Volume, Å³."""
    pressure: float
    """Pressure, GPa, positive where the cell wants to grow."""


def checked_bulk_modulus(
    both_ways: Callable[[float], Mapping[float, PressureAt]], strain: float, volume: float
) -> CheckedProperties:
    """Return ``bulk_modulus``, −V dP/dV in GPa from the pressures at ± the strain of every length.
    A pressure left at the relaxed volume, such as Pulay's, cancels.

    It is checked at half the strain. Where both disagree, Birch and Murnaghan's equation through
    these and cells of up to twice the strain decides.

    Args:
        both_ways: gives the cells shrunk and grown by a strain, atoms relaxed, by that strain.
        strain: the usual one.
        volume: of the relaxed cell, Å³.

    Raises:
        MeasurementFailed: if it is no solid's, and whatever ``both_ways`` raises.
    """
    cells: dict[float, PressureAt] = {}

    def modulus_at(strain: float) -> float:
        cells.update(both_ways(strain))
        small, large = cells[-strain], cells[strain]
        growth = (large.volume - small.volume) / volume
        return -(large.pressure - small.pressure) / growth

    usual, wider = (modulus_at(each) for each in (strain, strain / 2))
    moduli = SeveralStrains(strain, usual, {strain / 2: wider})
    found = CheckedProperties({"bulk_modulus": usual})
    if not moduli.agree:
        for factor in (1.5, 2):
            modulus_at(factor * strain)
        fit = birch_murnaghan(
            [each.volume for each in cells.values()],
            [each.pressure for each in cells.values()],
            volume,
        )
        fitted = f"Birch and Murnaghan's equation over strains of ± {2 * strain:g}"
        found = moduli.decided("bulk_modulus", fit, fitted)
    if (modulus := found.values["bulk_modulus"]) <= 0:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL, f"a bulk modulus of {modulus:.3g} GPa is not a solid's"
        )
    return found


def check_strains(usual: float) -> tuple[float, ...]:
    """Return the strains that a derivative at the usual one is checked at, in order."""
    return CHECK_STRAINS if usual <= CHECK_STRAINS[0] / 2 else (usual / 2,)


def birch_murnaghan(volumes: Sequence[float], pressures: Sequence[float], at: float) -> Fit:
    """Return −V dP/dV at a volume by Birch and Murnaghan's equation of third order, whose
    normalised pressure P / (1 + 2 f)^(5/2) is a polynomial in the Eulerian strain f (Birch, Phys.
    Rev. 71 (1947) 809); a pressure left at that volume is allowed for.

    Args:
        volumes: more than three, Å³.
        pressures: at these, GPa.
        at: the volume, Å³.
    """
    f = ((np.asarray(volumes) / at) ** (-2 / 3) - 1) / 2
    columns = np.stack([(1 + 2 * f) ** 2.5 * f**k for k in range(3)], axis=1)
    # −V d/dV = (1 + 2 f)/3 d/df, which at f = 0 takes a third of a₁ + 5 a₀.
    return _fit(columns, np.asarray(pressures), np.array([5.0, 1.0, 0.0]) / 3)


def slope(strains: Sequence[float], stresses: Array) -> Fit:
    """Return the derivative at zero of a parabola through stresses, GPa, at more than three
    strains."""
    s = np.asarray(strains)
    columns = np.stack([np.ones_like(s), s, s**2], axis=1)
    return _fit(columns, stresses, np.array([0.0, 1.0, 0.0]))


def _fit(columns: Array, values: Array, weights: Array) -> Fit:
    """Return a weighted sum of the coefficients of a least-squares fit."""
    inverse = np.linalg.inv(columns.T @ columns)
    coefficients = inverse @ columns.T @ values
    left = values - columns @ coefficients
    variance = float(left @ left) / (len(values) - columns.shape[1])
    error = np.sqrt(variance * float(weights @ inverse @ weights))
    return Fit(float(weights @ coefficients), float(error))
