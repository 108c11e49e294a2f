"""Spread of a figure over seeds, splits or trainings."""

from collections.abc import Sequence

import numpy as np


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the mean and the sample's standard deviation of at least two values."""
    return {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1))}
