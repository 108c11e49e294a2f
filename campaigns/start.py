"""What one has already: labels and materials that a campaign begins with, at no cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from alloop.campaigns.objectives import PropertyName
from alloop.paths import OwnFile


class LabelSource(BaseModel):
    """One file of labels, or another campaign's run."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    file: OwnFile = Field(
        description="a table (.csv, .json), structures (.extxyz, .cif, POSCAR), or a run's folder"
    )
    tier: int | Literal["other"] | None = Field(
        default=None,
        description="tier whose values these are, or other for those of another fidelity; by "
        "default of a file 0, and of a run the tier with the same fingerprint",
    )
    properties: Mapping[PropertyName, str] = Field(
        default_factory=dict,
        description="column, or key of extended XYZ, of each property; by default its own name, "
        "with or without a unit in brackets: bulk_modulus [GPa]",
    )
    units: Mapping[PropertyName, str] = Field(
        default_factory=dict,
        description="unit of each property in the file, where it is not the campaign's: "
        "{bulk_modulus: Mbar}",
    )
    formula: str = Field(default="formula", description="column of formulas")
    structure: str | None = Field(
        default=None, description="column of CIFs; by default the one called structure or cif"
    )
    source: str | None = Field(default=None, description="column that says where a label is from")
    duplicates: Literal["refuse", "first", "mean"] = Field(
        default="refuse",
        description="treatment of a material with several values that disagree: an error, the "
        "first counts, or their mean",
    )

    @model_validator(mode="after")
    def _columns_have_one_meaning(self) -> Self:
        named = [*self.properties.values(), self.structure, self.source]
        if twice := sorted({c for c in named if c is not None and named.count(c) > 1}):
            raise ValueError(f"the column {twice[0]!r} is named for two things")
        return self


def _listed(value: Any) -> Any:
    """Return a list of sources, of one or several, each a path or a mapping."""
    each = value if isinstance(value, list | tuple) else [value]
    return [{"file": one} if isinstance(one, str | Path) else one for one in each]


class StartOptions(BaseModel):
    """What a campaign begins with."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    labels: Annotated[tuple[LabelSource, ...], BeforeValidator(_listed)] = Field(
        min_length=1,
        description="files and runs with labels, or with materials that have none: table.csv, "
        "[table.csv, structures.extxyz, runs/earlier], or mappings with the keys below",
    )
