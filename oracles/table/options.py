"""Options of the table oracle; light, so that campaign specs can import them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from alloop.errors import DataError
from alloop.oracles.options import OracleOptions, TierWish
from alloop.paths import OwnFile
from alloop.properties import units_of

if TYPE_CHECKING:
    from alloop.materials import Material
    from alloop.oracles.base import Oracle

JSON_SUFFIXES = (".json", ".json.gz")
"""Endings of files that hold a JSON list of records."""


class TableOptions(OracleOptions):
    """Known results in a CSV or JSON file: labels are only looked up, when asked for."""

    kind: Literal["table"] = "table"
    file: OwnFile | None = Field(
        default=None,
        description="a CSV, or a JSON list of records (.json, .json.gz); a relative path begins "
        "at the campaign's own file",
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
        default=None,
        description="column of CIFs or, in JSON, of pymatgen's structures, where the materials are "
        "crystals",
    )
    columns: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="names of the columns, in their order, of a CSV without a header",
    )
    ignore: tuple[str, ...] = Field(default=(), description="columns that are not looked at")
    duplicates: Literal["refuse", "first"] = Field(
        default="refuse",
        description="treatment of rows with the same material: an error, or the first counts",
    )
    match: Literal["exact", "structure"] = Field(
        default="exact",
        description="which crystals a row answers for: its own, site by site; or structure, any "
        "that pymatgen's StructureMatcher takes for the same, which then counts as relaxed to the "
        "row's. So a campaign may decode crystals where a table stands for DFT",
    )
    timeout: float | None = Field(
        default=60.0, gt=0, description="time limit of one measurement, s; null: no limit"
    )

    unused: ClassVar[Mapping[str, str]] = {"core_hour_price": "looking a value up takes no time"}

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.file is None) == (self.dataset is None):
            raise ValueError("a table needs file or dataset, and not both")
        named = [*self.properties.values(), *self.ignore, self.formula, self.structure]
        if twice := sorted({c for c in named if c is not None and named.count(c) > 1}):
            raise ValueError(f"the column {twice[0]!r} is named for two things")
        if self.match == "structure" and self.structure is None:
            raise ValueError("match: structure needs crystals; name their column in structure")
        if self.columns and len(set(self.columns)) < len(self.columns):
            raise ValueError("columns names one twice")
        if self.columns and self.file is not None and self.file.name.endswith(JSON_SUFFIXES):
            raise ValueError("columns does nothing for a JSON file, whose records name their keys")
        return self

    @property
    def recognises(self) -> bool:
        """Whether rows answer for crystals in coordinates of their own."""
        return self.match == "structure"

    def measures(self) -> Mapping[str, str]:
        """Return the unit of each property that a measurement gives, by name."""
        return units_of(self.properties)

    @classmethod
    def suggested_tier(cls, wish: TierWish) -> Mapping[str, Any]:
        """Return the keys of a tier of a first spec; raises ``DataError`` without a file."""
        if wish.file is None:
            raise DataError("a table needs its file", remedy="Give it by --file results.csv.")
        columns = {name: name for name in wish.properties}
        structure = {"structure": "cif"} if wish.has_sites else {}
        return {"kind": "table", "file": str(wish.file), "properties": columns, **structure}

    def starts_programs(self) -> bool:
        """Return False: values are looked up."""
        return False

    def build(self, elements: Sequence[str]) -> "Oracle":
        """Return the oracle; raises ``DataError`` where the table cannot be used."""
        from alloop.oracles.table.oracle import TableOracle  # noqa: PLC0415 (reads the file)

        del elements
        return TableOracle(self)

    def list_materials(self) -> "tuple[Material, ...]":
        """Return everything that has a row, in the file's order."""
        from alloop.oracles.table.oracle import TableOracle  # noqa: PLC0415

        return TableOracle(self).materials()
