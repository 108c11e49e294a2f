"""Reference point and scales of several objectives, taken once from a campaign's first labels."""

from collections.abc import Mapping, Sequence
from statistics import quantiles

from alloop.campaigns.spec import CampaignSpec
from alloop.loop.record.events import ReferenceTaken

FENCE = 1.5
"""Interquartile ranges beyond the quartiles after which a value is an outlier (Tukey, Exploratory
Data Analysis, 1977), and no reference."""
NORMAL_IQR = 1.349
"""Interquartile range of a normal distribution, in its standard deviations."""
MARGIN = 0.1
"""Distance of the reference point below the worst of the first labels, in scales: the worst itself
counts for something."""


def reference_from(spec: CampaignSpec, labels: Sequence[Mapping[str, float]]) -> ReferenceTaken:
    """Return reference point and scales of the objectives, as the first labels have them.

    The reference is a tenth of a scale below the worst feasible value that is no outlier; the scale
    is the spread of all values, as their interquartile range tells it: one label of 1e12 among
    others of 200 moves neither. Where nothing is feasible yet, all labels stand for the feasible.

    Args:
        spec: of the campaign.
        labels: properties of everything that the first tier has measured so far, at least one.
    """
    feasible = [
        label
        for label in labels
        if all(c.property in label and c.margin(label[c.property]) >= 0 for c in spec.constraints)
    ]
    reference, scales = {}, {}
    for objective in spec.objectives:
        name = objective.property
        everything = [objective.utility(label[name]) for label in labels if name in label]
        counted = [objective.utility(label[name]) for label in feasible if name in label]
        scale, _ = _spread(everything)
        _, least = _spread(counted or everything)
        scales[name] = scale
        reference[name] = objective.value_at(least - MARGIN * scale)
    return ReferenceTaken(reference=reference, scales=scales, n_labels=len(labels))


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the spread of values, in standard deviations of a normal distribution, and the least
    that is no outlier."""
    if len(values) < 2:
        return _any_scale(values), min(values, default=0.0)
    low, _, high = quantiles(values, n=4, method="inclusive")
    within = [value for value in values if value >= low - FENCE * (high - low)]
    scale = (high - low) / NORMAL_IQR or (max(within) - min(within)) or _any_scale(values)
    return scale, min(within)


def _any_scale(values: Sequence[float]) -> float:
    """Return a scale for values that are all the same: a hundredth of the value, or one."""
    return abs(values[0]) / 100 or 1.0 if values else 1.0
