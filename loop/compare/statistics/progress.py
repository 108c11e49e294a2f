"""What progress is measured in: the only objective's best value, or the hypervolume of several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from alloop.campaigns.objectives import Objective
from alloop.errors import RunError
from alloop.loop.compare.runs import Label
from alloop.loop.compare.statistics.curves import Curve, best_so_far
from alloop.loop.compare.statistics.fronts import inferred_reference
from alloop.loop.report.words import label_of, unit_of
from alloop.loop.state.ranking.front import front_of, hypervolume, hypervolume_so_far


@dataclass(frozen=True)
class Progress:
    """Measure of progress over a run's labels, as a utility, and how people are shown it."""

    objectives: tuple[Objective, ...]
    name: str
    """Name for people: ``bulk modulus``, ``hypervolume``."""
    unit: str
    sign: float
    """Sign by which a utility becomes the shown value: −1 for what is minimised, and for the
    distance from a window."""
    optimum: float
    """Utility that regret is counted from."""
    is_optimum_given: bool
    """Whether the user gave the optimum; if not it is the best that any compared run found, and
    regret a lower bound."""
    reference: tuple[float, ...] | None
    """Reference point of the hypervolume, as utilities; None for one objective."""
    curve_of: Callable[[Sequence[Label]], Curve]
    """Returns the progress after each of a run's labels."""
    is_reference_own: bool = False
    """Whether the reference point is what the runs have stated or recorded."""

    @property
    def label(self) -> str:
        """Label of an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def optimum_words(self) -> str:
        """What regret is counted from, in words."""
        if self.is_optimum_given:
            return "the optimum that was given"
        if self.reference is not None:
            return "the hypervolume of all these runs' labels together"
        return "the best that any of these runs found"

    def shown(self, utility: float) -> float:
        """Return the value that people know a utility by."""
        return self.sign * utility + 0.0

    def reference_shown(self) -> dict[str, float]:
        """Return the reference point as people know it, by property; of a window, the distance
        from it. Empty for one objective.
        """
        return {
            o.property: shown_value(o, value)
            for o, value in zip(self.objectives, self.reference or (), strict=False)
        }

    def utility(self, shown: float) -> float:
        """Return the utility of a value that people know."""
        return self.sign * shown + 0.0


def progress_of(
    objectives: Sequence[Objective],
    labels: Sequence[Sequence[Label]],
    *,
    optimum: float | None,
    reference: Sequence[float] | None,
    own_reference: Sequence[float] | None = None,
) -> Progress:
    """Return the measure of progress of runs.

    Args:
        objectives: those that the runs share.
        labels: of each run.
        optimum: best value that is possible, as people know it, if that is known.
        reference: reference point, a value for each objective, as people know them.
        own_reference: the runs' own, as utilities, which stands in for it; without either it is a
            tenth of the front's range below its worst values.

    Raises:
        RunError: if no label is feasible, an objective is constant, or nothing reaches the
            reference point.
    """
    points = np.array([u for run in labels for label in run if (u := label.counted) is not None])
    if not len(points):
        raise RunError(
            "no run has a feasible label yet, so there is no best to compare",
            remedy="Let the runs go on, or loosen the constraints.",
        )
    for objective, spread in zip(objectives, np.ptp(points, axis=0), strict=True):
        if spread == 0:
            raise RunError(
                f"{objective.property} is the same in all {len(points)} feasible labels; a "
                "constant objective tells no strategy from another",
                remedy="Look at what the first tier measures, or let the runs go on.",
            )
    if len(objectives) == 1:
        return _single(objectives[0], float(points.max()), optimum)
    return _hypervolume(objectives, points, optimum, reference, own_reference)


def sign_of(objective: Objective) -> float:
    """Return the sign by which an objective's utility becomes its value or, for a window, the
    distance from it.
    """
    return 1.0 if objective.goal == "maximise" else -1.0


def shown_value(objective: Objective, utility: float) -> float:
    """Return what people know a utility by."""
    return sign_of(objective) * utility + 0.0


def front(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Return the feasible labels that no other dominates, in their order: the first of the best,
    or the Pareto front of several objectives; equal values once.
    """
    feasible = [label for label in labels if label.counted is not None]
    points = np.array([label.utilities for label in feasible])
    if not len(points):
        return ()
    if points.shape[1] == 1:
        return (feasible[int(points.argmax())],)
    return tuple(feasible[i] for i in front_of(points))


def _single(objective: Objective, best: float, optimum: float | None) -> Progress:
    sign = sign_of(objective)
    name = label_of(objective.property)
    known = best if optimum is None else sign * optimum
    _check_optimum(best, known, sign)
    return Progress(
        (objective,),
        name if objective.goal != "window" else f"distance of {name} from its window",
        unit_of(objective.property),
        sign,
        known,
        optimum is not None,
        None,
        lambda labels: best_so_far([u[0] if (u := label.counted) else None for label in labels]),
    )


def _check_optimum(best: float, optimum: float, sign: float) -> None:
    """Raise RunError if an optimum, a utility, is no number or is exceeded by what was found."""
    if not optimum >= best or not np.isfinite(optimum):
        raise RunError(
            f"the runs found {sign * best:g}, and the optimum is given as {sign * optimum:g}",
            remedy="Give the true optimum with --optimum, or leave it out.",
        )


def _hypervolume(
    objectives: Sequence[Objective],
    points: np.ndarray,
    optimum: float | None,
    reference: Sequence[float] | None,
    own_reference: Sequence[float] | None,
) -> Progress:
    if reference is None:
        least = tuple(own_reference) if own_reference else inferred_reference(points)
    else:
        least = tuple(o.utility(value) for o, value in zip(objectives, reference, strict=True))
    best = hypervolume(points, least)
    if best == 0:
        values = ", ".join(
            f"{o.property} {shown_value(o, u):g}" for o, u in zip(objectives, least, strict=True)
        )
        raise RunError(
            f"no label of any run is better than the reference point ({values}) in every objective",
            remedy="Give a worse point with --reference, or none.",
        )
    _check_optimum(best, best if optimum is None else optimum, 1.0)
    return Progress(
        tuple(objectives),
        "hypervolume",
        " × ".join(unit for o in objectives if (unit := unit_of(o.property))),
        1.0,
        best if optimum is None else optimum,
        optimum is not None,
        least,
        lambda labels: hypervolume_so_far([label.counted for label in labels], least),
        reference is None and own_reference is not None,
    )
