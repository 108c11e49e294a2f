"""Options of the person oracle; light, so that campaign specs can import them."""

import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class PersonOptions(BaseModel):
    """A person measures, in a laboratory or elsewhere; the campaign waits for the labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["person"] = "person"
    properties: tuple[str, ...] = Field(min_length=1, description="what is asked of each candidate")
    protocol: str = Field(
        default="",
        max_length=2000,
        description="how it is measured, such as arc-melted, XRD; labels of another protocol are "
        "other labels",
    )
    quorum: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="share of a batch that must be answered before the next round begins; the "
        "rest may come later, and is waited for at the end",
    )
    promote: int = Field(
        default=0, ge=0, description="best candidates of the tier below to ask for"
    )

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(set(self.properties)) != len(self.properties):
            raise ValueError(f"properties {list(self.properties)} names one twice")
        return self

    @property
    def timeout(self) -> float:
        """Seconds for one measurement: a person takes as long as it takes."""
        return math.inf

    @property
    def attempts(self) -> int:
        """How often a measurement is tried: people say themselves when they try again."""
        return 1

    @property
    def workers(self) -> int | None:
        """Measurements at once: people see to that themselves."""
        return None

    def measures(self) -> frozenset[str]:
        """Return the properties that a measurement gives."""
        return frozenset(self.properties)
