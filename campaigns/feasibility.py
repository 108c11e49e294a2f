"""Whether anything can meet all constraints: contradictions are found before the first
measurement, with the one that empties the space.
"""

import math
from collections.abc import Sequence

from alloop.campaigns.objectives import Constraint
from alloop.properties import POSSIBLE_VALUES


def contradiction(constraints: Sequence[Constraint]) -> tuple[int, str] | None:
    """Return the place of the first constraint that nothing can meet together with those before
    it, and what contradicts it; None where all can be met as far as is known.
    """
    for place, last in enumerate(constraints):
        name = last.property
        low, high = POSSIBLE_VALUES.get(name, (-math.inf, math.inf))
        if (problem := _outside(last, low, high)) is not None:
            return place, f"{name} is {_range(low, high)} by its nature, and {problem}; correct it"
        for earlier, other in enumerate(constraints[:place]):
            if other.property != name:
                continue
            low = -math.inf if other.min is None else other.min
            high = math.inf if other.max is None else other.max
            if (problem := _outside(last, low, high)) is not None:
                return place, (
                    f"constraints.{earlier} wants {name} {_range(low, high)}, and {problem}; "
                    "nothing can satisfy both: change one of them"
                )
    return None


def _outside(constraint: Constraint, low: float, high: float) -> str | None:
    """Return how a constraint lies outside a range; None where they have a value in common."""
    if constraint.min is not None and constraint.min > high:
        return f"this one wants at least {constraint.min:g}"
    if constraint.max is not None and constraint.max < low:
        return f"this one wants at most {constraint.max:g}"
    return None


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"from {low:g} to {high:g}"
