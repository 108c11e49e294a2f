"""Shares of trials that succeed, with their uncertainty."""

import math
from dataclasses import dataclass
from typing import Self

CONFIDENCE = 0.95
"""Confidence of the intervals."""
HALF_WIDTH = 1.959964
"""Half-width of a normal distribution's central 95 %, in standard deviations."""


@dataclass(frozen=True)
class Rate:
    """A share of successful trials with its confidence interval."""

    hits: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share; NaN without trials."""
        return self.hits / self.trials if self.trials else math.nan

    @classmethod
    def of(cls, hits: int, trials: int) -> Self:
        """Return the share with Wilson's interval at ``CONFIDENCE``."""
        if trials == 0:
            return cls(0, 0, 0.0, 1.0)
        z = HALF_WIDTH
        share, scale = hits / trials, 1 + z**2 / trials
        middle = (share + z**2 / (2 * trials)) / scale
        half = z / scale * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
        return cls(hits, trials, max(middle - half, 0.0), min(middle + half, 1.0))
