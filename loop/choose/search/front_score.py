"""The score that a climb goes up by where the Pareto front is sought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from alloop.campaigns.objectives import Objective
from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.choose.search.cells import Cells, log_difference
from alloop.loop.choose.search.score import (
    SMOOTHING,
    ImprovementScore,
    Marginals,
    log_expected_improvement,
    log_feasibility,
    normal_nodes,
    utilities,
)
from alloop.loop.state.ranking.pareto import front_order
from alloop.loop.state.ranking.utility import AUGMENTATION, Utility

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
    if utility.seeks_front and any(map(utility.reaches, rows)):
        return FrontScore.of(utility, feasible)
    best = max(map(utility.value, feasible), default=None)
    if utility.seeks_front:
        return ApproachScore(utility, best)
    spec = utility.spec
    return ImprovementScore(spec.objectives, utility.scales, spec.constraints, best)


@dataclass(frozen=True)
class FrontScore:
    """Expected improvement of the hypervolume, times the probability of feasibility, as a
    logarithm.

    Where an improvement is hardly expected it still differs between candidates.
    """

    utility: Utility
    cells: Cells
    """Cells above the front, in the objectives' scales."""

    @classmethod
    def of(cls, utility: Utility, feasible: Sequence[Mapping[str, float]]) -> "FrontScore":
        """Return the score above the front of feasible property values."""
        most = LARGEST_FRONTS.get(len(utility.scales), LARGEST_FRONT)
        kept = [feasible[place] for place in front_order(utility, feasible)[:most]]
        points = np.array([utility.scaled(row) for row in kept])
        return cls(utility, Cells.above(points, utility.scaled_reference))

    def __call__(self, marginals: Marginals) -> FloatArray:
        """Return the score of each candidate, (n,); more is better."""
        feasible = log_feasibility(marginals, self.utility.spec.constraints)
        log_gains = []
        for objective, scale, edges in zip(
            self.utility.spec.objectives, self.utility.scales, self.cells.edges, strict=True
        ):
            mean, std = marginals.of(objective.property)
            log_gains.append(_log_gain(objective, mean, std, scale * edges) - np.log(scale))
        return feasible + self.cells.log_expected_improvement(log_gains)


@dataclass(frozen=True)
class ApproachScore:
    """Expected improvement of the achievement (``Utility.value``), times the probability of
    feasibility, as a logarithm: while no label reaches the reference point, it leads there.

    The hypervolume above a point far away would be improved by whatever is most uncertain.
    """

    utility: Utility
    best: float | None
    """Achievement of the best feasible label; None where there is none: then feasibility alone
    counts."""

    def __call__(self, marginals: Marginals) -> FloatArray:
        """Return the score of each candidate, (n,); more is better."""
        feasible = log_feasibility(marginals, self.utility.spec.constraints)
        if self.best is None:
            return feasible
        objectives = self.utility.spec.objectives
        nodes = normal_nodes(len(objectives))
        gains = []
        for draws, objective, scale, least in zip(
            nodes.T,
            objectives,
            self.utility.scales,
            self.utility.scaled_reference,
            strict=True,
        ):
            mean, std = marginals.of(objective.property)
            drawn = utilities(objective, mean + std * draws[:, None])  # (nodes, n)
            gains.append(drawn / scale - least)
        achieved = np.min(gains, axis=0) + AUGMENTATION * np.mean(gains, axis=0)
        width = SMOOTHING * np.maximum(achieved.std(axis=0), 1e-12)
        improvement = np.logaddexp(0.0, (achieved - self.best) / width).mean(axis=0)
        found: FloatArray = feasible + np.log(np.maximum(improvement, 1e-300)) + np.log(width)
        return found


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
