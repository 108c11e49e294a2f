"""Utility of a set of property values, by the campaign's objectives and constraints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alloop.campaigns.spec import CampaignSpec


@dataclass(frozen=True)
class Utility:
    """The weighted sum of the objectives' utilities.

    With one objective this is its utility in the property's own unit. With several, each is
    divided by the standard deviation of what was measured, so that GPa and eV can be added.
    """

    spec: CampaignSpec
    scales: tuple[float, ...]
    """Scale of each objective, in its property's unit."""

    @classmethod
    def of(cls, spec: CampaignSpec, measured: Sequence[Mapping[str, float]]) -> "Utility":
        """Return the utility in the scale of the values measured so far."""
        if len(spec.objectives) == 1:
            return cls(spec, (1.0,))
        import numpy as np  # noqa: PLC0415 (one objective, the usual, needs no scale)

        scales = []
        for objective in spec.objectives:
            values = [properties[objective.property] for properties in measured]
            spread = float(np.std(values)) if len(values) > 1 else 0.0
            scales.append(spread or 1.0)
        return cls(spec, tuple(scales))

    def value(self, properties: Mapping[str, float]) -> float:
        """Return the weighted sum of utilities; more is better."""
        return sum(
            objective.weight * objective.utility(properties[objective.property]) / scale
            for objective, scale in zip(self.spec.objectives, self.scales, strict=True)
        )

    def margin(self, properties: Mapping[str, float]) -> float:
        """Return the smallest margin over all constraints; infinite where there are none."""
        margins = [c.margin(properties[c.property]) for c in self.spec.constraints]
        return min(margins, default=float("inf"))

    def is_feasible(self, properties: Mapping[str, float]) -> bool:
        """Return whether every constraint is met."""
        return self.margin(properties) >= 0

    def rank(self, properties: Mapping[str, float]) -> tuple[bool, float]:
        """Return a key that sorts the better last: the feasible by value, and the infeasible,
        all before them, by how far they miss.
        """
        margin = self.margin(properties)
        return (True, self.value(properties)) if margin >= 0 else (False, margin)
