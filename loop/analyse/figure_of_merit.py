"""A figure of merit with its uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from alloop.models.metrics.rates import HALF_WIDTH, Rate


@dataclass(frozen=True)
class FigureOfMerit:
    """A figure of merit, with a 95 % interval where there is one."""

    subject: str
    """Name of the group: reconstruction, validity, uniqueness and so on."""
    name: str
    value: float
    """Value; NaN where it could not be had."""
    n: int
    """Number of materials or predictions behind it."""
    low: float | None = None
    high: float | None = None
    unit: str = ""
    """Unit; empty for a share or a number without one."""

    @classmethod
    def of_rate(cls, subject: str, name: str, rate: Rate) -> Self:
        """Return a share with Wilson's interval."""
        return cls(subject, name, rate.value, rate.trials, rate.low, rate.high)

    @classmethod
    def of_mean(cls, subject: str, name: str, values: Sequence[float], unit: str = "") -> Self:
        """Return a mean with the interval of its standard error."""
        if not values:
            return cls(subject, name, math.nan, 0, unit=unit)
        mean, n = float(np.mean(values)), len(values)
        if n < 2:
            return cls(subject, name, mean, n, unit=unit)
        half = HALF_WIDTH * float(np.std(values, ddof=1)) / math.sqrt(n)
        return cls(subject, name, mean, n, mean - half, mean + half, unit)

    def row(self) -> dict[str, Any]:
        """Return it as plain values; None for what could not be had."""
        return {
            "subject": self.subject,
            "figure": self.name,
            "value": self.value if math.isfinite(self.value) else None,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "n": self.n,
        }
