"""Strain derivatives that are checked: against a second strain, and where they disagree by a fit.

A derivative at one small strain is that of whatever kink the potential has there: the bulk modulus
of one ordering of fcc Cu6Ni10 is 303 GPa at a strain of 1e-6 and 180 at 5e-3 under CuNi.eam.alloy,
whose table has 500 points. So every derivative is taken a second time at ``SECOND_STRAIN``. Where
both differ by more than ``MAX_DISAGREEMENT``, a fit over wider strains decides; where the points
scatter so much about the fit that it is no more certain than that, the value is in doubt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SECOND_STRAIN = 5e-3
"""Second strain of every length. Half a percent is what elastic constants by DFT are taken at (de
Jong et al., Sci. Data 2 (2015) 150009) and several steps of a potential's table; central
differences of smooth metals change by 0.1 % up to there, of bcc Ni-Fe-Cr by at most 0.5 %."""
MAX_DISAGREEMENT = 0.02
"""Largest relative difference of two values of a derivative that agree, and largest standard error
of a fit that decides, relative to its value."""
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
        return self.value > 0 and self.error <= MAX_DISAGREEMENT * self.value


@dataclass(frozen=True)
class TwoStrains:
    """A modulus at two strains, GPa; a value that could not be had is NaN."""

    usual: float
    usual_strain: float
    second: float
    second_strain: float

    @property
    def agree(self) -> bool:
        """Whether both differ by less than ``MAX_DISAGREEMENT``; nothing agrees with NaN."""
        return abs(self.second - self.usual) <= MAX_DISAGREEMENT * abs(self.usual)

    def decided(self, name: str, fit: Fit, fitted: str) -> CheckedProperties:
        """Return the property where both disagree: the fit's value with a remark, or the value at
        the usual strain with a doubt.

        Args:
            name: of the property.
            fit: over wider strains; its values may be NaN.
            fitted: what was fitted, for people.
        """
        both = (
            f"{self.usual:.1f} GPa at a strain of {self.usual_strain:g} and {self.second:.1f} at "
            f"{self.second_strain:g}"
        )
        outcome = f"{fitted} gives {fit.value:.1f} ± {fit.error:.1f}"
        if fit.is_certain:
            remark = f"artefact of a small strain: {both}; {outcome}, which is the value given"
            return CheckedProperties({name: fit.value}, remarks={name: remark})
        reason = f"unreliable: {both}, and {outcome}"
        value = self.usual if np.isfinite(self.usual) else self.second
        return CheckedProperties({name: value}, doubts={name: reason})


def second_strain(usual: float) -> float:
    """Return the strain that a derivative at the usual one is checked at."""
    return SECOND_STRAIN if usual <= SECOND_STRAIN / 2 else usual / 2


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
