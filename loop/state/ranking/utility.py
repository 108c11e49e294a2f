"""Utility of a set of property values, by the campaign's objectives and constraints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alloop.campaigns.spec import CampaignSpec
from alloop.loop.record.events import ReferenceTaken
from alloop.loop.state.ranking.reference import reference_from

AUGMENTATION = 0.05
"""Share of the mean of all gains in the achievement: of two candidates with the same least gain the
one that is better elsewhere is the better (Wierzbicki's augmentation term)."""


@dataclass(frozen=True)
class Utility:
    """Utility by the objectives: more is better.

    With one objective it is the value's own, in the property's unit. With a weighted sum it is the
    sum of weight × value / scale. Where the Pareto front is sought no single number is maximised;
    what people are shown and walkers go by is then the achievement of a candidate (Wierzbicki, in
    Multiple Criteria Decision Making Theory and Application, Springer 1980, p. 468): the least of
    its gains on the reference point, each in its objective's scale, and a little of their mean.

    Reference and scales stay as they are, whatever is measured later.
    """

    spec: CampaignSpec
    scales: tuple[float, ...]
    """Scale of each objective, in its property's unit."""
    reference: tuple[float, ...] = ()
    """Reference point as utilities, in the objectives' own units; empty for one objective."""

    @classmethod
    def of(
        cls,
        spec: CampaignSpec,
        measured: Sequence[Mapping[str, float]] = (),
        *,
        taken: ReferenceTaken | None = None,
    ) -> "Utility":
        """Return the utility of a campaign.

        Args:
            spec: of the campaign; what it states stands over what was taken.
            measured: properties that reference point and scales are taken from, where they were not
                recorded yet.
            taken: what was recorded.
        """
        if len(spec.objectives) == 1:
            return cls(spec, (1.0,))
        taken = taken or reference_from(spec, measured)
        scales = tuple(o.scale or taken.scales[o.property] for o in spec.objectives)
        point = tuple(
            o.utility(taken.reference[o.property] if o.reference is None else o.reference)
            for o in spec.objectives
        )
        return cls(spec, scales, point)

    @property
    def seeks_front(self) -> bool:
        """Whether the Pareto front is sought, and not the largest value."""
        return len(self.spec.objectives) > 1 and self.spec.scalarisation is None

    @property
    def scaled_reference(self) -> tuple[float, ...]:
        """Reference point as ``scaled`` has it; empty for one objective."""
        return tuple(r / scale for r, scale in zip(self.reference, self.scales, strict=False))

    def utilities(self, properties: Mapping[str, float]) -> tuple[float, ...]:
        """Return the utility of each objective, in its own unit."""
        return tuple(o.utility(properties[o.property]) for o in self.spec.objectives)

    def scaled(self, properties: Mapping[str, float]) -> tuple[float, ...]:
        """Return the utility of each objective, in its scale."""
        return tuple(
            u / scale for u, scale in zip(self.utilities(properties), self.scales, strict=True)
        )

    def reaches(self, properties: Mapping[str, float]) -> bool:
        """Return whether property values are feasible and better than the reference point in every
        objective."""
        gains = zip(self.utilities(properties), self.reference, strict=True)
        return self.is_feasible(properties) and all(u > least for u, least in gains)

    def value(self, properties: Mapping[str, float], weights: Sequence[float] = ()) -> float:
        """Return the utility as one number; more is better.

        Args:
            properties: by name.
            weights: positive, one for each objective: of a gain in it, where the front is sought
                and a walker goes for one part of it. All alike by default.
        """
        if len(self.spec.objectives) == 1:  # said on its own: a ledger ranks a hundred thousand
            only = self.spec.objectives[0]
            return only.weight * only.utility(properties[only.property]) / self.scales[0]
        if not self.seeks_front:
            return sum(
                objective.weight * u
                for objective, u in zip(self.spec.objectives, self.scaled(properties), strict=True)
            )
        gains = [
            weight * (u - least)
            for weight, u, least in zip(
                weights or [1.0] * len(self.scales),
                self.scaled(properties),
                self.scaled_reference,
                strict=True,
            )
        ]
        return min(gains) + AUGMENTATION * sum(gains) / len(gains)

    def margin(self, properties: Mapping[str, float]) -> float:
        """Return the smallest margin over all constraints; infinite where there are none."""
        smallest = float("inf")
        for constraint in self.spec.constraints:
            smallest = min(smallest, constraint.margin(properties[constraint.property]))
        return smallest

    def is_feasible(self, properties: Mapping[str, float]) -> bool:
        """Return whether every constraint is met."""
        return self.margin(properties) >= 0

    def best(self, all_properties: Sequence[Mapping[str, float]]) -> int | None:
        """Return the place of the first that ``rank`` sorts last; None where there is nothing.

        Constraints are looked at only where the value is better than any before: of a hundred
        thousand that is so a dozen times.
        """
        found, most = None, float("-inf")
        for place, properties in enumerate(all_properties):
            value = self.value(properties)
            if value > most and self.is_feasible(properties):
                found, most = place, value
        if found is not None:
            return found
        margins = [self.margin(properties) for properties in all_properties]
        return margins.index(max(margins)) if margins else None

    def rank(
        self, properties: Mapping[str, float], weights: Sequence[float] = ()
    ) -> tuple[bool, float]:
        """Return a key that sorts the better last: the feasible by value, and the infeasible,
        all before them, by how far they miss.
        """
        margin = self.margin(properties)
        return (True, self.value(properties, weights)) if margin >= 0 else (False, margin)
