"""Outlying labels: values so far from all others that they would decide every fit alone.

A wrong unit, a typing error or a calculation gone astray. They stay in the record as they are and
are named in status; surrogates and models see them held back to the next value inside the bounds
(winsorised, after Charles Winsor: Tukey, Annals of Mathematical Statistics 33, 1, 1962).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from alloop.loop.state.campaign_state import CampaignState

if TYPE_CHECKING:
    import numpy as np

FARTHEST = 50.0
"""Number of robust standard deviations from the median beyond which a label is outlying. Far more
than a search gains: the stiffest orderings lie about ten above the median of random ones."""
MAD_TO_STD = 1.482602218505602
"""Standard deviation of a normal distribution over its median absolute deviation."""
FEWEST = 8
"""Number of labels below which nothing is said."""


@dataclass(frozen=True)
class OutlyingLabel:
    """A label far outside all others of its property."""

    property_name: str
    candidate: str
    value: float
    bound: float
    """End of the bounds that it is beyond, in the property's unit."""


def bounds_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the values between which labels are believed as they are.

    They lie ``FARTHEST`` robust standard deviations (of the median absolute deviation) from the
    median; where more than half of the labels are equal that is no measure, and the size of the
    median stands for it.
    """
    if len(values) < FEWEST:
        return float("-inf"), float("inf")
    middle = median(values)
    spread = MAD_TO_STD * median(abs(value - middle) for value in values)
    reach = FARTHEST * (spread or max(abs(middle), 1.0))
    return middle - reach, middle + reach


def winsorised(values: "np.ndarray") -> "np.ndarray":
    """Return values (n, p) with the outlying ones of each column set to the nearest that is not;
    NaN stays."""
    import numpy as np  # noqa: PLC0415 (states are read without it)

    held = np.array(values, dtype=float)
    for column in held.T:
        known = np.isfinite(column)
        low, high = bounds_of(column[known].tolist())
        inside = column[known & (column >= low) & (column <= high)]
        if len(inside):
            column[known] = column[known].clip(inside.min(), inside.max())
    return held


def outlying_labels(state: CampaignState) -> list[OutlyingLabel]:
    """Return the outlying labels of the first tier, the farthest of each property first."""
    found = []
    for name in state.spec.property_names():
        values = [m.properties[name] for m in state.answers()]
        low, high = bounds_of(values)
        outside = [
            OutlyingLabel(name, m.candidate, value, low if value < low else high)
            for m, value in zip(state.answers(), values, strict=True)
            if not low <= value <= high
        ]
        found += sorted(outside, key=lambda label: -abs(label.value - label.bound))
    return found


def outlier_warnings(state: CampaignState) -> list[str]:
    """Return a sentence for each property with outlying labels."""
    labels, units = outlying_labels(state), state.spec.units()
    sentences = []
    for name in dict.fromkeys(label.property_name for label in labels):
        of_name = [label for label in labels if label.property_name == name]
        first = of_name[0]
        more = f" (and {len(of_name) - 1} more)" if len(of_name) > 1 else ""
        sentences.append(
            f"{name} of candidate {first.candidate[:10]} is {first.value:.6g} {units[name]}{more}, "
            f"far outside all other labels: surrogates and models are trained as if it were the "
            f"nearest of the others"
        )
    return sentences
