"""The score that a climb goes up by where the Pareto front is sought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from alloop.campaigns.objectives import Objective
from alloop.loop.choose.search.base import FloatArray
from alloop.loop.choose.search.cells import Cells, log_difference
from alloop.loop.choose.search.score import (
    ImprovementScore,
    Marginals,
    log_expected_improvement,
    log_feasibility,
)
from alloop.loop.state.pareto import front_order
from alloop.loop.state.utility import Utility

LARGEST_FRONTS = {2: 128, 3: 48}
LARGEST_FRONT = 16
"""Most members of the front that cells are made above, by the number of objectives, and for more
than three: the number of cells grows with a power of it. Those that contribute most are kept."""


class Score(Protocol):
    """A score of candidates by the marginals of their properties."""

    def __call__(self, marginals: Marginals) -> FloatArray:
        """Return the score of each candidate, (n,); more is better."""


def score_of(utility: Utility, rows: Sequence[Mapping[str, float]]) -> Score:
    """Return the score of a campaign.

    Args:
        utility: what is sought.
        rows: properties of everything measured.
    """
    feasible = [row for row in rows if utility.is_feasible(row)]
    if utility.seeks_front:
        return FrontScore.of(utility, feasible)
    best = max(map(utility.value, feasible), default=None)
    spec = utility.spec
    return ImprovementScore(spec.objectives, utility.scales, spec.constraints, best)


@dataclass(frozen=True)
class FrontScore:
    """Expected improvement of the hypervolume, times the probability of feasibility, as a
    logarithm.

    Without a feasible label it is the probability of feasibility alone. Where no label reaches the
    reference point the improvement is counted from there: the score then leads to it.
    """

    utility: Utility
    cells: Cells | None
    """Cells above the front in the objectives' scales; None without a feasible label."""

    @classmethod
    def of(cls, utility: Utility, feasible: Sequence[Mapping[str, float]]) -> "FrontScore":
        """Return the score above the front of feasible property values."""
        if not feasible:
            return cls(utility, None)
        most = LARGEST_FRONTS.get(len(utility.scales), LARGEST_FRONT)
        kept = [feasible[place] for place in front_order(utility, feasible)[:most]]
        points = np.array([utility.scaled(row) for row in kept])
        return cls(utility, Cells.above(points, utility.scaled_reference))

    def __call__(self, marginals: Marginals) -> FloatArray:
        """Return the score of each candidate, (n,); more is better."""
        feasible = log_feasibility(marginals, self.utility.spec.constraints)
        if self.cells is None:
            return feasible
        log_gains = []
        for objective, scale, edges in zip(
            self.utility.spec.objectives, self.utility.scales, self.cells.edges, strict=True
        ):
            mean, std = marginals.of(objective.property)
            log_gains.append(_log_gain(objective, mean, std, scale * edges) - np.log(scale))
        return feasible + self.cells.log_expected_improvement(log_gains)


def _log_gain(
    objective: Objective, mean: FloatArray, std: FloatArray, edges: FloatArray
) -> FloatArray:
    """Return the logarithm of the expected excess of an objective's utility over edges, shape
    (n, edges); minus infinity over infinity."""
    finite = np.isfinite(edges)
    found = np.full((len(mean), len(edges)), -np.inf)
    known = edges[finite]
    if objective.goal == "window":
        found[:, finite] = _log_window_gain(objective, mean[:, None], std[:, None], known)
    else:
        sign = 1 if objective.goal == "maximise" else -1
        found[:, finite] = log_expected_improvement(sign * mean[:, None], std[:, None], known)
    return found


def _log_window_gain(
    objective: Objective, mean: FloatArray, std: FloatArray, edges: FloatArray
) -> FloatArray:
    """Return the same of a window: its utility exceeds an edge e < 0 between low + e and high − e,
    as a trapezium, and never one of 0 or more."""
    assert objective.window is not None
    low, high = objective.window
    mean = (low + high) / 2 - np.abs(mean - (low + high) / 2)  # it is the same on both sides
    reach = np.minimum(edges, 0.0)

    def over(value: FloatArray | float) -> FloatArray:
        return log_expected_improvement(mean, std, value)

    rising = log_difference(over(low + reach), over(low))
    falling = log_difference(over(high), over(high - reach))
    return np.where(edges < 0, log_difference(rising, falling), -np.inf)
