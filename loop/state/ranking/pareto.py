"""The Pareto front of a campaign, and the order of its candidates by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alloop.loop.record.events import Measured

if TYPE_CHECKING:
    from alloop.loop.state.campaign_state import CampaignState
    from alloop.loop.state.ranking.utility import Utility

MAX_EXACT = 3
"""Most objectives for which candidates are ordered by exact contributions to the hypervolume."""


@dataclass(frozen=True)
class FrontMember:
    """A measured, feasible candidate that no other dominates."""

    answer: Measured
    contribution: float
    """Hypervolume that is lost without it, in the product of the objectives' units; 0 where it does
    not reach the reference point."""

    @property
    def candidate(self) -> str:
        """Its id."""
        return self.answer.candidate


@dataclass(frozen=True)
class ParetoFront:
    """Pareto front of what a tier has measured, above a reference point."""

    members: tuple[FrontMember, ...]
    """Members by the first objective, the best of it first; of equal values the earliest."""
    reference: Mapping[str, float]
    """Reference point, a value for each objective's property, in its unit."""
    hypervolume: float
    """Hypervolume above the reference point, in the product of the objectives' units."""
    unreached: tuple[str, ...]
    """Properties whose reference no feasible candidate has beaten by itself."""
    constant: tuple[str, ...]
    """Objectives that are the same in all of two or more feasible candidates."""

    @property
    def is_reached(self) -> bool:
        """Whether a candidate is better than the reference point in every objective."""
        return self.hypervolume > 0

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences for people on what makes the front say little; none where all is well."""
        found = []
        if self.members and not self.is_reached:
            point = ", ".join(f"{name} {value:.5g}" for name, value in self.reference.items())
            alone = f" (nothing beats it in {', '.join(self.unreached)})" * bool(self.unreached)
            found.append(
                f"no feasible candidate is better than the reference point ({point}) in every "
                f"objective{alone}; the hypervolume is 0, and the search heads for the point"
            )
        found += [
            f"{name} is the same in all feasible candidates: it tells none from another"
            for name in self.constant
        ]
        return tuple(found)


def pareto_front(state: "CampaignState", tier: int = 0) -> ParetoFront:
    """Return the Pareto front of what a tier has measured.

    With one objective it is the best candidate alone, without a reference point.

    Args:
        state: of a campaign; a running one will do.
        tier: whose values to compare.
    """
    utility, objectives = state.utility, state.spec.objectives
    answers = [m for m in state.answers(tier) if _counts(utility, m)]
    if len(objectives) == 1:
        best = max(answers, key=lambda m: utility.value(m.properties), default=None)
        return ParetoFront(() if best is None else (FrontMember(best, 0.0),), {}, 0.0, (), ())
    reference = {
        o.property: o.value_at(least)
        for o, least in zip(objectives, utility.reference, strict=True)
    }
    if not answers:
        return ParetoFront((), reference, 0.0, (), ())
    import numpy as np  # noqa: PLC0415 (one objective, the usual, does without)

    from alloop.loop.state.ranking.front import contributions, front_of, hypervolume  # noqa: PLC0415

    points = np.array([utility.utilities(m.properties) for m in answers])
    front = front_of(points)
    front = front[np.argsort(-points[front, 0], kind="stable")]
    lost = contributions(points[front], utility.reference).tolist()
    best, worst = points.max(axis=0), points.min(axis=0)
    names = [objective.property for objective in objectives]
    return ParetoFront(
        tuple(FrontMember(answers[row], one) for row, one in zip(front, lost, strict=True)),
        reference,
        hypervolume(points[front], utility.reference),
        tuple(n for n, b, r in zip(names, best, utility.reference, strict=True) if b <= r),
        tuple(n for n, b, w in zip(names, best, worst, strict=True) if b == w and len(points) > 1),
    )


def best_first(state: "CampaignState", answers: Sequence[Measured]) -> list[Measured]:
    """Return measurements best first; of equals the earlier comes first.

    Where the Pareto front is sought that is the order of ``front_order``.
    """
    utility = state.utility
    if not utility.seeks_front:
        return sorted(answers, key=lambda m: utility.rank(m.properties), reverse=True)
    return [answers[place] for place in front_order(utility, [m.properties for m in answers])]


def front_order(utility: "Utility", rows: Sequence[Mapping[str, float]]) -> list[int]:
    """Return the places of property values, the better first.

    The feasible come first, front by front (``front_numbers``, NSGA-II's). On the first front those
    count most whose contribution to the hypervolume is the largest (the selection of SMS-EMOA:
    Beume, Naujoks and Emmerich, European Journal of Operational Research 181, 1653, 2007), and then
    those farthest from their neighbours; on the others the latter alone. The infeasible come last,
    by how far they miss.
    """
    feasible = [i for i, row in enumerate(rows) if utility.is_feasible(row)]
    missed = [i for i, row in enumerate(rows) if not utility.is_feasible(row)]
    missed.sort(key=lambda i: utility.margin(rows[i]), reverse=True)
    if not feasible:
        return missed
    import numpy as np  # noqa: PLC0415

    from alloop.loop.state.ranking.front import (  # noqa: PLC0415
        contributions,
        crowding_distances,
        front_numbers,
        front_of,
    )

    points = np.array([utility.scaled(rows[i]) for i in feasible])
    numbers = front_numbers(points)
    ordered: list[int] = []
    for number in range(int(numbers.max()) + 1):
        places = np.flatnonzero(numbers == number)
        front = points[places]
        lost = np.zeros(len(places))
        if number == 0 and front.shape[1] <= MAX_EXACT:
            first = front_of(front)  # of equal points one alone can lose something
            lost[first] = contributions(front[first], utility.scaled_reference)
        keys = (np.arange(len(places)), -crowding_distances(front), -lost)
        ordered += [feasible[places[k]] for k in np.lexsort(keys)]
    return ordered + missed


def has_improved(
    state: "CampaignState", before: Sequence[Measured], made: Sequence[Measured]
) -> bool:
    """Return whether measurements beat everything before them: a better best or, where the Pareto
    front is sought, a larger hypervolume. While neither reaches the reference point, the best is
    what has come closest to it.
    """
    utility = state.utility
    if not made:
        return False
    if utility.seeks_front:
        import numpy as np  # noqa: PLC0415

        from alloop.loop.state.ranking.front import hypervolume  # noqa: PLC0415

        def volume(answers: Sequence[Measured]) -> float:
            points = [utility.scaled(m.properties) for m in answers if _counts(utility, m)]
            return hypervolume(np.array(points), utility.scaled_reference) if points else 0.0

        old, new = volume(before), volume([*before, *made])
        if new > 0:
            return new > old
    ranks = [[utility.rank(m.properties) for m in part] for part in (before, made)]
    return not ranks[0] or max(ranks[1]) > max(ranks[0])


def _counts(utility: "Utility", answer: Measured) -> bool:
    """Return whether a measurement has all that is judged by, and meets the constraints."""
    names = utility.spec.property_names()
    return all(n in answer.properties for n in names) and utility.is_feasible(answer.properties)
