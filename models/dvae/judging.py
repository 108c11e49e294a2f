"""What the head says of an alloy, and whether the data lets it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymatgen.core import Composition

from alloop.errors import ModelError
from alloop.models.dvae.limits import Limits
from alloop.models.dvae.model import DvaeModel

CUTOFF = 0.6
"""The paper's: an alloy is called a single phase from this probability on (section 3.3)."""


@dataclass(frozen=True)
class Design:
    """An alloy, and what the head says of it."""

    composition: Composition
    value: float
    """Of the property, in its unit: for yes or no, the probability of a yes."""
    std: float
    is_far: bool
    """Whether it is far from the data, so that the value says little."""
    price: float | None
    """USD per kg; None where no limit on it was set."""


def judge(
    model: DvaeModel, alloys: Sequence[Composition], property_name: str, limits: Limits | None
) -> list[Design]:
    """Return what the head says of each alloy.

    Raises:
        MaterialError: if one is no composition of the model's elements.
        ModelError: if the model has no such property.
    """
    column = column_of(model, property_name)
    if not alloys:
        return []
    found = model.assess(alloys)
    is_priced = limits is not None and limits.highest_price is not None
    return [
        Design(
            composition=alloy,
            value=float(found.prediction.mean[i, column]),
            std=float(found.prediction.std[i, column]),
            is_far=bool(found.is_far[i]),
            price=limits.prices.per_kg(alloy) if limits is not None and is_priced else None,
        )
        for i, alloy in enumerate(alloys)
    ]


def column_of(model: DvaeModel, property_name: str) -> int:
    """Return the property's place among the model's.

    Raises:
        ModelError: if the model has no such property.
    """
    if property_name not in model.property_names:
        raise ModelError(
            f"the model knows no {property_name}",
            remedy=f"It knows {', '.join(model.property_names)}.",
        )
    return model.property_names.index(property_name)
