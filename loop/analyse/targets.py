"""Targets: values of a property that designs are asked for, beside what was learnt of it."""

import math
from dataclasses import dataclass

import numpy as np

from alloop.errors import DataError
from alloop.loop.analyse.trained_run import TrainedRun
from alloop.models.analyses import Wish
from alloop.properties import DIMENSIONLESS, shown_unit

TOLERANCE = 0.1
"""Deviation from a target that is still good, in standard deviations of the labels."""


@dataclass(frozen=True)
class Target:
    """A wanted value of a property, and the range of the labels that were learnt."""

    wish: Wish
    unit: str
    """Unit of the property; empty where it has none."""
    low: float
    """The smallest known value."""
    high: float
    """The largest known value."""
    spread: float
    """Standard deviation of the known values; 1 where all are the same."""
    n: int
    """Number of known values."""

    @property
    def outside(self) -> float:
        """Distance of the target from the range of the known values, in the property's unit; 0
        within it."""
        return max(self.low - self.wish.value, self.wish.value - self.high, 0.0)

    @property
    def warning(self) -> str:
        """Sentence about a target outside everything learnt; empty for one within."""
        if self.outside == 0:
            return ""
        wish = self.wish
        return (
            f"{wish.property_name} {self.text(wish.value)} lies outside everything learnt: the "
            f"{self.n} known values range from {self.text(self.low)} to {self.text(self.high)}, "
            f"and the target is {self.text(self.outside)} beyond, "
            f"{self.outside / self.spread:.2g} standard deviations of the values; what is designed "
            "for it is an extrapolation"
        )

    def text(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{value:.4g} {self.unit}".strip()


def target_of(run: TrainedRun, words: str) -> Target:
    """Return the target that was asked for as ``PROPERTY=VALUE``.

    Raises:
        DataError: if the words name none, no property of the campaign's, or nothing is known of it.
    """
    names = run.state.spec.property_names()
    name, _, text = words.partition("=")
    name = name.strip()
    if name not in names:
        raise DataError(
            f"the campaign has no property {name!r} to design for",
            where="--target",
            remedy=f"Write PROPERTY=VALUE; its model learns {', '.join(names)}.",
        )
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"{text!r} is no value of {name}", where="--target", remedy=f"Write {name}=NUMBER."
        )
    return target_at(run, name, value)


def target_at(run: TrainedRun, name: str, value: float) -> Target:
    """Return a value of a property of the campaign as a target.

    Raises:
        DataError: if nothing is known of the property.
    """
    labels = run.labels(name)
    known = labels[np.isfinite(labels)]
    if len(known) == 0:
        raise DataError(
            f"no value of {name} is known, so none can be designed for",
            remedy="Measure some candidates first: `alloop resume` goes on.",
        )
    spread = float(known.std()) or 1.0
    return Target(
        wish=Wish(name, value, TOLERANCE * spread),
        unit=shown_unit(run.state.spec.units().get(name, DIMENSIONLESS)),
        low=float(known.min()),
        high=float(known.max()),
        spread=spread,
        n=len(known),
    )
