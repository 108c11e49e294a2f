"""The quantity that progress is drawn by."""

from collections.abc import Mapping
from dataclasses import dataclass

from alloop.campaigns.spec import CampaignSpec
from alloop.loop.report.words import label_of, unit_of
from alloop.loop.state.ranking.utility import Utility


@dataclass(frozen=True)
class ProgressMetric:
    """Quantity that progress is drawn by: the only objective's value, or the one number that
    several come to (``Utility.value``)."""

    utility: Utility

    @property
    def spec(self) -> CampaignSpec:
        """Spec of the campaign."""
        return self.utility.spec

    @property
    def property_name(self) -> str | None:
        """Name of the property, where there is one objective."""
        return self.spec.objectives[0].property if len(self.spec.objectives) == 1 else None

    @property
    def label(self) -> str:
        """Label of an axis."""
        if self.property_name is not None:
            return label_of(self.property_name, with_unit=True)
        return "achievement" if self.utility.seeks_front else "weighted sum"

    @property
    def explanation(self) -> str:
        """What the quantity is, in a sentence; empty where it is a property."""
        if self.property_name is not None:
            return ""
        if self.utility.seeks_front:
            return (
                "Achievement: the least gain on the reference point among the objectives, each in "
                "the spread of the first labels, and a twentieth of the mean gain; the Pareto "
                "front is drawn below."
            )
        return "Weighted sum: weight × value / scale, over the objectives."

    @property
    def unit(self) -> str:
        """Unit of the value; empty where several objectives come to one number."""
        return "" if self.property_name is None else unit_of(self.property_name)

    def value(self, properties: Mapping[str, float]) -> float:
        """Return the quantity of a set of property values."""
        if self.property_name is not None:
            return properties[self.property_name]
        return self.utility.value(properties)
