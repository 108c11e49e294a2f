"""Options of the person oracle; light, so that campaign specs can import them."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from alloop.oracles.options import OracleOptions, TierWish
from alloop.properties import units_of

if TYPE_CHECKING:
    from alloop.oracles.base import Oracle

SLACK = 1e-9
"""Float slack for quorum × requests: 0.07 * 100 == 7.000000000000001."""


class PersonOptions(OracleOptions):
    """A person measures, in a laboratory or elsewhere; the campaign waits for the labels."""

    kind: Literal["person"] = "person"
    properties: tuple[str, ...] = Field(
        min_length=1, description="properties that people measure on each candidate"
    )
    protocol: str = Field(
        default="",
        max_length=2000,
        description="method of measurement, such as arc-melted, XRD; labels of another protocol "
        "are other labels",
    )
    quorum: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="share of a batch that must be answered before the next round begins; the "
        "rest may come later, and is waited for at the end",
    )
    timeout: float | None = Field(default=None, gt=0, description="people take their time")
    attempts: int = Field(default=1, ge=1, le=10, description="people try again by themselves")

    unused: ClassVar[Mapping[str, str]] = {
        "timeout": "people take as long as it takes",
        "attempts": "people say themselves when they try again",
        "workers": "people see themselves to how many they measure at once",
        "core_hour_price": "a person's work is not counted in core-hours",
    }

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(set(self.properties)) != len(self.properties):
            raise ValueError(f"properties {list(self.properties)} names one twice")
        return self

    def measures(self) -> Mapping[str, str]:
        """Return the unit of each property that is asked for, by name."""
        return units_of(self.properties)

    @classmethod
    def suggested_tier(cls, wish: TierWish) -> Mapping[str, Any]:
        """Return the keys of a tier of a first spec."""
        return {"kind": "person", "properties": list(wish.properties)}

    def starts_programs(self) -> bool:
        """Return False: people are asked, by files of the run."""
        return False

    def build(self, elements: Sequence[str]) -> "Oracle":
        """Return the placeholder oracle of the tier."""
        from alloop.oracles.person.oracle import PersonOracle  # noqa: PLC0415

        del elements
        return PersonOracle(self)

    def n_required(self, n: int) -> int:
        """Return the number of n requests that have to be answered before the next round begins."""
        return math.ceil(self.quorum * n - SLACK)
