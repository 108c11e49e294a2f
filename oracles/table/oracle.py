"""Known results from a file: a retrospective study asks a table instead of an experiment."""

from collections.abc import Mapping, Sequence

from pymatgen.core import Composition, Structure

from alloop.canonical import canonical_json, sha256
from alloop.errors import DataError, MaterialError
from alloop.files.cif import read_cif
from alloop.files.csv_table import CsvRow, CsvTable, composition_in, read_csv_table, value_in
from alloop.materials import Material, composition_of, formula_of, material_id
from alloop.oracles.base import Cost, FailureKind, Measurement, Status
from alloop.oracles.json_table import read_json_table, structure_from_pymatgen
from alloop.oracles.table.matching import MATCHER, RowMatcher
from alloop.oracles.table.options import JSON_SUFFIXES, TableOptions
from alloop.public_data.datasets import find_file

FRACTION_DECIMALS = 6
"""Decimals of atomic fractions: compositions that agree in these are the same."""


class TableOracle:
    """Oracle of known results: looks compositions up by their fractions, crystals as they stand in
    the file or, with ``match: structure``, by their structure.

    The whole file is read and checked at construction, and only read. A material that is not in
    it gives a failed measurement.

    Args:
        options: which file, which columns.

    Raises:
        DataError: naming line and column of what cannot be used.
    """

    def __init__(self, options: TableOptions) -> None:
        path = options.file if options.dataset is None else find_file(options.dataset)
        assert path is not None  # the options see to it
        self.name = f"table {path.name}"
        is_json = path.name.endswith(JSON_SUFFIXES)
        sheet = read_json_table(path) if is_json else read_csv_table(path, options.columns)
        elements = _element_columns(sheet, options)
        self._materials: dict[str, Material] = {}
        self._values: dict[str, Mapping[str, float]] = {}
        lines: dict[str, int] = {}
        for row in sheet.rows:
            material = _material(row, sheet, elements, options)
            key = _key(material)
            if key not in lines:
                lines[key] = row.line
                self._materials[key] = material
                self._values[key] = _values(row, options)
            elif options.duplicates == "refuse":
                raise row.error(
                    None,
                    f"{formula_of(material)} is already in {row.unit} {lines[key]}",
                    "Remove one, or set duplicates: first.",
                )
        if not lines:
            raise DataError("the table has no rows", where=str(path))
        settings = options.model_dump(
            mode="json",
            include={"properties", "formula", "structure", "duplicates"},
        )
        if options.columns is not None:
            settings["columns"] = list(options.columns)
        self._matcher: RowMatcher | None = None
        if options.match == "structure":
            self._matcher = RowMatcher(self._materials)
            settings["match"] = list(MATCHER.tolerances)
        self._fingerprint = sha256(canonical_json({"table": sheet.checksum, **settings}))

    def fingerprint(self) -> str:
        """Return the hash of the file's content and of how it is read."""
        return self._fingerprint

    def materials(self) -> tuple[Material, ...]:
        """Return everything that has a row, in the file's order."""
        return tuple(self._materials.values())

    def recognise(self, material: Material) -> str | None:
        """Return the key of the row that a material is; see ``RecognisingOracle``.

        Raises:
            MaterialError: if the material is no plain one.
        """
        if self._matcher is not None and isinstance(material, Structure):
            return self._matcher.find(material)
        key = _key(material)
        return key if key in self._values else None

    def measure(self, material: Material) -> Measurement:
        """Look a material up. Where another crystal may be the same, its row's is given as the
        relaxed one."""
        cost = Cost(calls=1)
        try:
            key = self.recognise(material)
        except MaterialError as error:
            return self._failed(error.what, cost)
        if key is None:
            return self._failed("the table does not have this material", cost)
        relaxed = None if self._matcher is None else self._materials[key]
        found = self._values[key]
        return Measurement(Status.OK, found, relaxed, None, self.name, self._fingerprint, cost)

    def _failed(self, message: str, cost: Cost) -> Measurement:
        return Measurement.failed(
            FailureKind.UNSUPPORTED,
            message,
            oracle=self.name,
            fingerprint=self._fingerprint,
            cost=cost,
        )


def _element_columns(sheet: CsvTable, options: TableOptions) -> tuple[str, ...]:
    """Return the columns of element fractions."""
    named = {*options.properties.values(), *options.ignore, options.formula, options.structure}
    elements = sheet.element_columns(named)
    for column in options.properties.values():
        sheet.require(column)
    if options.structure is not None:
        sheet.require(options.structure)
    elif not elements:
        sheet.require(options.formula)
    sheet.refuse_others({*named, *elements}, "Name it in properties, or in ignore to leave it out.")
    return elements


def _material(
    row: CsvRow, sheet: CsvTable, elements: Sequence[str], options: TableOptions
) -> Material:
    if options.structure is not None:
        return _structure(row, options.structure)
    formula = options.formula if options.formula in sheet.columns else None
    return composition_in(row, formula, elements)


def _values(row: CsvRow, options: TableOptions) -> dict[str, float]:
    found = {name: value_in(row, column, name) for name, column in options.properties.items()}
    values = {name: value for name, value in found.items() if value is not None}
    if not values:
        raise row.error(", ".join(options.properties.values()), "there is no value")
    return values


def _structure(row: CsvRow, column: str) -> Structure:
    try:
        text = row.cells[column]
        structure = (
            structure_from_pymatgen(text) if text.startswith("{") else read_cif(text).structure
        )
    except MaterialError as error:
        raise row.error(column, error.what, error.remedy) from error
    if not structure.is_ordered:
        raise row.error(column, "the crystal has partly occupied sites")
    return structure


def _key(material: Material) -> str:
    """Return a key that equal materials share.

    Raises:
        MaterialError: if the material is no plain one.
    """
    if isinstance(material, Structure):
        return material_id(material)
    fractions = composition_of(Composition(material)).get_el_amt_dict()
    return " ".join(
        f"{el}{x:.{FRACTION_DECIMALS}f}" for el, x in sorted(fractions.items()) if x > 0
    )
