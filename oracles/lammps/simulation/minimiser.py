"""Minimisation by L-BFGS, to gradients that energies can no longer resolve.

Near a minimum the energy changes by the square of the force: 1e-7 eV/Å means 1e-15 eV, which a
double of −230 eV cannot hold, so a line search that compares energies (SciPy's, for one) gives
up. Here a step is judged by the slope along it, which keeps its digits, and by the energy only
within its rounding, like the approximate Wolfe conditions of Hager and Zhang (SIAM J. Optim. 16
(2005) 170). And what was learnt of the curvature can be handed on to a similar problem.

Some potentials jump: a pair function that does not end at zero steps up where a neighbour crosses
the cutoff (Al-Cu of Cai and Ye by 0.3 meV per pair), and a table's splines bend. The jump is told
from a slope by the trapezoid of both ends of a step, which a smooth energy follows as a step
shrinks. It is then taken for the resolution of the energy, and the slopes alone decide.

The two-loop recursion is that of Nocedal (Math. Comp. 35 (1980) 773).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from alloop.oracles.lammps.simulation.cell import Array

Objective = Callable[[Array], tuple[float, Array]]
"""Function from a point, shape (d,), to the value there and its gradient, shape (d,)."""

MAX_PAIRS = 30
MAX_STEP = 0.2
"""Largest change of any coordinate in one step; less than a tenth of an interatomic distance in
Å."""
INITIAL_CURVATURE = 15.0
"""Curvature assumed before any is known, eV/Å²: about that of an atom in a metal."""
ENERGY_RESOLUTION = 1e-11
"""Relative rounding of the energy: smaller changes are not resolved."""
MAX_SLOPE_RATIO = 0.8
"""Largest slope at the end of a step, as a share of the slope at its beginning: a step ends where
it has not turned uphill by more."""
MAX_TRIALS = 12
"""Largest number of shortenings of one step before its curvature is given up."""
MAX_LAST_TRIALS = 24
"""Largest number of shortenings of a step of steepest descent, before the search is given up: down
to a millionth, so that a jump stands out from the slopes."""
MAX_ENERGY_NOISE = 1e-2 / 3
"""Largest jump of the energy that is stepped over, eV per coordinate: 10 meV/atom. In a symmetric
cell a whole shell of neighbours crosses the cutoff at once, two dozen pairs of every atom."""
MAX_FORCE_NOISE = 0.05
"""Largest jump of a force across which a minimum is accepted, eV/Å; relaxations by DFT usually end
at 0.01 to 0.05."""
JUMP_RATIO = 10.0
"""Least ratio of a jump to what the slopes make of the step across it. A gradient that is not the
energy's is off by about the slopes' own share, however short the step."""
MAX_NOISY_EVALUATIONS = 300
"""Largest number of evaluations after a jump was met; what is not at rest by then will not be."""
NOISE_MARGIN = 4.0
"""Factor by which the resolution exceeds the jump that was met: a longer step may cross several."""


class Termination(StrEnum):
    """Reason for which a minimisation ended."""

    CONVERGED = "converged"
    CONVERGED_TO_NOISE = "converged as far as the jumps of the forces allow"
    BUDGET_SPENT = "it used all its force evaluations"
    LINE_SEARCH_FAILED = "no step along the forces lowers the energy"
    NOT_FINITE = "the energy or a force is not finite"


@dataclass(frozen=True)
class CurvaturePair:
    """L-BFGS pair: a step and the change of gradient along it."""

    step: Array
    change: Array
    curvature: float = field(init=False)
    """Inner product of step and change, positive for a pair that can be used."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "curvature", float(self.step @ self.change))


@dataclass(frozen=True)
class Noise:
    """Jumps of a function that should be smooth; zero where none was met."""

    energy: float = 0.0
    """Largest jump of the energy that was stepped over, eV."""
    force: float = 0.0
    """Largest component of the gradient that is left where the gradient jumps, eV/Å."""


@dataclass(frozen=True)
class Minimisation:
    """Result of a minimisation; its point is also the last at which the objective was called."""

    ending: Termination
    point: Array
    value: float
    gradient: Array
    evaluations: int
    pairs: tuple[CurvaturePair, ...]
    """Latest L-BFGS pairs, which can start the minimisation of a similar problem."""
    noise: Noise
    """Jumps of the energy and of the forces that were met on the way."""


@dataclass(frozen=True)
class _Evaluated:
    point: Array
    value: float
    gradient: Array

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())

    @property
    def largest(self) -> float:
        """Largest component of the gradient."""
        return float(np.abs(self.gradient).max())


def minimise(
    objective: Objective,
    start: Array,
    *,
    tolerance: float,
    max_evaluations: int,
    pairs: tuple[CurvaturePair, ...] = (),
    inverse: Array | None = None,
) -> Minimisation:
    """Follow L-BFGS steps until every component of the gradient is below the tolerance.

    Args:
        objective: what to minimise; may return values that are not finite.
        start: first point, shape (d,).
        tolerance: of the gradient's largest component.
        max_evaluations: calls of the objective after which to end.
        pairs: curvature known beforehand, of a problem of the same dimension.
        inverse: of the second derivatives, about, if known; shape (d, d), positive definite. The
            pairs correct it.
    """
    here, evaluations = _Evaluated(start, *objective(start)), 1
    pairs = tuple(pair for pair in pairs if _is_usable(pair))
    noise, calmest = Noise(), here
    while (ending := _ending(here, evaluations, tolerance, max_evaluations)) is None:
        direction = _direction(here.gradient, pairs, inverse)
        most = MAX_TRIALS if pairs or inverse is not None else MAX_LAST_TRIALS
        most = min(most, max_evaluations - evaluations)
        search = _search(objective, here, direction, most, noise.energy)
        evaluations += search.trials
        if (found := search.found) is not None:
            pair = CurvaturePair(found.point - here.point, found.gradient - here.gradient)
            if _is_usable(pair):
                pairs = (*pairs, pair)[-MAX_PAIRS:]
            here = found
            calmest = min(calmest, here, key=lambda each: each.largest)
        elif pairs or inverse is not None:
            pairs, inverse = (), None  # what is known misleads: start over with steepest descent
        elif noise.energy < search.jump.energy <= MAX_ENERGY_NOISE * len(start):
            noise = search.jump
            # Where the forces jump too, steps lead round in circles about the minimum.
            max_evaluations = min(max_evaluations, evaluations + MAX_NOISY_EVALUATIONS)
        else:
            is_spent = evaluations >= max_evaluations
            ending = Termination.BUDGET_SPENT if is_spent else Termination.LINE_SEARCH_FAILED
            noise = replace(noise, force=search.jump.force)
            break
    if ending in (Termination.BUDGET_SPENT, Termination.LINE_SEARCH_FAILED):
        is_noisy = noise.energy > 0 or calmest.largest <= noise.force
        if is_noisy and calmest.largest <= MAX_FORCE_NOISE:
            here = _Evaluated(calmest.point, *objective(calmest.point))
            noise = replace(noise, force=calmest.largest)
            evaluations, ending = evaluations + 1, Termination.CONVERGED_TO_NOISE
    return Minimisation(ending, here.point, here.value, here.gradient, evaluations, pairs, noise)


def _ending(here: _Evaluated, evaluations: int, tolerance: float, most: int) -> Termination | None:
    if not here.is_finite:
        return Termination.NOT_FINITE
    if here.largest < tolerance:
        return Termination.CONVERGED
    return Termination.BUDGET_SPENT if evaluations >= most else None


def _is_usable(pair: CurvaturePair) -> bool:
    return pair.curvature > 1e-12 * float(pair.change @ pair.change)


def _direction(gradient: Array, pairs: tuple[CurvaturePair, ...], inverse: Array | None) -> Array:
    """Return minus the gradient times the inverse curvature, cut to the longest step."""
    direction = -gradient
    shares = []
    for pair in reversed(pairs):
        share = float(pair.step @ direction) / pair.curvature
        direction = direction - share * pair.change
        shares.append(share)
    if inverse is not None:
        direction = inverse @ direction
    elif pairs:
        last = pairs[-1]
        direction = direction * (last.curvature / float(last.change @ last.change))
    else:
        direction = direction / INITIAL_CURVATURE
    for pair, share in zip(pairs, reversed(shares), strict=True):
        back = float(pair.change @ direction) / pair.curvature
        direction = direction + (share - back) * pair.step
    return direction * min(1.0, MAX_STEP / float(np.abs(direction).max()))


@dataclass(frozen=True)
class _Search:
    found: _Evaluated | None
    """First good point along the direction."""
    trials: int
    jump: Noise = Noise()
    """Jump across the shortest step, where no point was good."""


def _search(
    objective: Objective, here: _Evaluated, direction: Array, most: int, noise: float
) -> _Search:
    """Search along a direction in at most so many trials; energies are resolved to their rounding
    or to the noise, eV."""
    slope = float(here.gradient @ direction)
    if slope >= 0:
        return _Search(None, 0)
    rounding = max(ENERGY_RESOLUTION * max(1.0, abs(here.value)), NOISE_MARGIN * noise)
    length, jump = 1.0, Noise()
    for trial in range(1, most + 1):
        point = here.point + length * direction
        there = _Evaluated(point, *objective(point))
        if not there.is_finite:
            length *= 0.25
            continue
        slope_there = float(there.gradient @ direction)
        is_lower = there.value <= here.value + 1e-4 * length * slope + rounding
        if is_lower and slope_there <= -MAX_SLOPE_RATIO * slope:
            return _Search(there, trial)
        excess = there.value - here.value - length * (slope + slope_there) / 2
        is_jump = excess > JUMP_RATIO * length * max(-slope, abs(slope_there))
        jump = Noise(
            excess if is_jump else 0.0, float(np.abs(there.gradient - here.gradient).max())
        )
        # Where a straight line through both slopes crosses zero, within reason.
        crossing = slope / (slope - slope_there) if slope_there > slope else 0.5
        length *= min(max(crossing, 0.1), 0.7)
    return _Search(None, most, jump)
