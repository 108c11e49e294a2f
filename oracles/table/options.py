"""Options of the table oracle; light, so that campaign specs can import them."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alloop.oracles.scheduling import AtOnce, Attempts
from alloop.paths import OwnFile


class TableOptions(BaseModel):
    """Known results in a CSV: nothing is measured, labels are only looked up when asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["table"] = "table"
    file: OwnFile | None = Field(
        default=None, description="a CSV; a relative path begins at the campaign's own file"
    )
    dataset: str | None = Field(
        default=None, description="instead of file: a name from `alloop data list`"
    )
    properties: Mapping[str, str] = Field(
        min_length=1, description="column of each property, such as single_phase_probability: Class"
    )
    formula: str = Field(
        default="formula",
        description="column of formulas; columns named like elements hold fractions",
    )
    structure: str | None = Field(
        default=None, description="column of CIFs, where the materials are crystals"
    )
    ignore: tuple[str, ...] = Field(default=(), description="columns that are not looked at")
    duplicates: Literal["refuse", "first"] = Field(
        default="refuse",
        description="of rows with the same material: an error, or the first counts",
    )
    timeout: float = Field(default=60.0, gt=0, description="seconds for one measurement")
    attempts: Attempts = 2
    workers: AtOnce = None
    promote: int = Field(
        default=0, ge=0, description="best candidates of the tier below to look up"
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.file is None) == (self.dataset is None):
            raise ValueError("a table needs file or dataset, and not both")
        columns = [*self.properties.values(), *self.ignore, self.formula, self.structure]
        if twice := sorted({c for c in columns if c is not None and columns.count(c) > 1}):
            raise ValueError(f"the column {twice[0]!r} is named for two things")
        return self

    def measures(self) -> frozenset[str]:
        """Return the properties that a measurement gives."""
        return frozenset(self.properties)
