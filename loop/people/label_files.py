"""Labels read from files: tables with formulas or structures, extended XYZ, single structures."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pymatgen.core import Structure

from alloop.campaigns.spec import CampaignSpec
from alloop.campaigns.start import LabelSource
from alloop.canonical import sha256
from alloop.errors import DataError, MaterialError
from alloop.files.cif import read_cif
from alloop.files.csv_table import (
    CsvRow,
    CsvTable,
    composition_in,
    plain_number,
    read_csv_table,
    shortened,
    value_in,
)
from alloop.files.extxyz import read_frames
from alloop.files.limits import CSV_BYTES
from alloop.files.reading import COMPRESSIONS, decoded, read_bytes
from alloop.files.structure_files import read_structure
from alloop.loop.people.known_labels import (
    MOST_LABELS,
    KnownLabel,
    KnownLabels,
    Reading,
    require_few,
)
from alloop.materials import Material, composition_of
from alloop.oracles.json_table import read_json_table, structure_from_pymatgen
from alloop.space import Compositions

STRUCTURE_COLUMNS = ("structure", "cif")
"""Columns of structures, where a source names none."""
FORMULA_COLUMNS = ("formula", "pretty_formula", "composition")
"""Columns of formulas, where a source names none."""
_HEAD = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\s*[\[(]\s*(?P<unit>[^\[\]]+?)\s*[\])]")
_MOST_NAMED = 6


def read_label_file(source: LabelSource, spec: CampaignSpec) -> KnownLabels:
    """Return what a file holds.

    Args:
        source: of the campaign's ``start``; its file is no run's folder.
        spec: of the campaign, for its units and its kind of material.

    Raises:
        DataError, MaterialError: naming file, line and column of what cannot be used.
    """
    name = _plain_name(source.file)
    if name.endswith((".csv", ".json")):
        is_json = name.endswith(".json")
        table = read_json_table(source.file) if is_json else read_csv_table(source.file)
        return _table(source, spec, table)
    if name.endswith((".xyz", ".extxyz")):
        return _extended_xyz(source, spec)
    return _structures(source, spec)


def _plain_name(path: Path) -> str:
    name = path.name.lower()
    return name.rpartition(".")[0] if name.endswith(COMPRESSIONS) else name


def _table(source: LabelSource, spec: CampaignSpec, table: CsvTable) -> KnownLabels:
    require_few(len(table.rows), str(table.path))
    readings = _readings(source, spec, table.columns)
    structure = _column(source.structure, STRUCTURE_COLUMNS, table)
    formula = _column(source.formula, FORMULA_COLUMNS, table)
    used = {reading.column for reading in readings} | {structure, formula, source.source}
    elements: Sequence[str] = ()
    if isinstance(spec.space, Compositions):
        if formula is None and structure is None:
            elements = [c for c in table.element_columns(used) if c not in used]
            if not elements:
                table.require(source.formula)
    elif structure is None:
        raise DataError(
            "there is no column of structures, and in this campaign a material is more than its "
            "composition",
            where=str(table.path),
            remedy="Give CIFs in a column called structure or cif, or name it by structure.",
        )
    if source.source is not None:
        table.require(source.source)
    labels = tuple(
        KnownLabel(
            _material(row, spec, structure, formula, elements),
            _values(row, readings),
            row.cells[source.source] if source.source else "",
            f"{row.path}: {row.unit} {row.line}",
        )
        for row in table.rows
    )
    left = [c for c in table.columns if c not in used and c not in elements]
    return _known(source, labels, table.checksum, readings, left)


def _column(named: str | None, usual: Sequence[str], table: CsvTable) -> str | None:
    """Return the column that a source names, or one with a usual name; None where there is none.

    Raises:
        DataError: if the source names one that is not there.
    """
    if named is not None and named not in usual:
        table.require(named)
        return named
    return next((c for c in dict.fromkeys((named, *usual)) if c in table.columns), None)


def _readings(
    source: LabelSource, spec: CampaignSpec, columns: Sequence[str]
) -> tuple[Reading, ...]:
    """Return which columns hold which properties, and in which units.

    Raises:
        DataError: if a named column is not there, a property stands in two, or a unit cannot be
            converted.
    """
    where, units = str(source.file), spec.units()
    by_column = {column: name for name, column in source.properties.items()}
    readings: dict[str, Reading] = {}
    for column in columns:
        head = _HEAD.fullmatch(column)
        name = by_column.get(column) or (head["name"] if head else column)
        if name not in units or (name in source.properties and column not in by_column):
            continue
        if name in readings:
            raise DataError(
                f"{name} stands in two columns, {readings[name].column!r} and {column!r}",
                where=where,
                remedy=f"Name one of them by properties: {{{name}: …}}.",
            )
        stated, said = (head["unit"] if head else None), source.units.get(name)
        if stated and said and stated != said:
            raise DataError(
                f"the column says {stated}, and units says {said}",
                where=f"{where}: column {column!r}",
                remedy="Leave one out.",
            )
        unit = stated or said or units[name]
        readings[name] = Reading.of(name, column, unit, units[name], where=where)
    if missing := [c for c in source.properties.values() if c not in columns]:
        raise DataError(
            f"there is no column {missing[0]!r}",
            where=where,
            remedy=f"Its columns are {', '.join(columns)}.",
        )
    return tuple(readings.values())


def _values(row: CsvRow, readings: Sequence[Reading]) -> dict[str, float]:
    found = {}
    for reading in readings:
        if row.cells[reading.column].lower() in ("nan", "none", "null"):
            continue  # as pandas and numpy write what is not known
        number = value_in(row, reading.column, reading.name)
        if number is not None:
            found[reading.name] = reading.value(number, f"{row.path}: {row.unit} {row.line}")
    return found


def _material(
    row: CsvRow,
    spec: CampaignSpec,
    structure: str | None,
    formula: str | None,
    elements: Sequence[str],
) -> Material:
    is_composition = isinstance(spec.space, Compositions)
    if is_composition and (formula is not None or elements):
        return composition_in(row, formula, elements)
    assert structure is not None  # the table was refused otherwise
    text = row.cells[structure]
    try:
        found = structure_from_pymatgen(text) if text.startswith("{") else read_cif(text).structure
        _require_ordered(found)
    except MaterialError as error:
        raise row.error(structure, error.what, error.remedy) from error
    return composition_of(found) if is_composition else found


def _require_ordered(structure: Structure) -> None:
    if not structure.is_ordered:
        raise MaterialError(
            "the crystal has partly occupied sites", remedy="Give an ordering of it."
        )


def _extended_xyz(source: LabelSource, spec: CampaignSpec) -> KnownLabels:
    path = source.file
    content = read_bytes(path, CSV_BYTES, is_unpacked=True)
    text = decoded(content, where=str(path), is_latin=True)
    try:
        frames = read_frames(text, MOST_LABELS)
    except MaterialError as error:
        raise MaterialError(error.what, where=str(path), remedy=error.remedy) from error
    keys = tuple(dict.fromkeys(key for frame in frames for key in frame.entries))
    small = source.model_copy(
        update={"properties": {name: key.lower() for name, key in source.properties.items()}}
    )
    readings = _readings(small, spec, keys)
    labels = []
    for frame in frames:
        where = f"{path}: the structure that begins in line {frame.line}"
        cells = {key: frame.entries.get(key, "") for key in keys}
        values = {}
        for reading in readings:
            text = cells[reading.column]
            if not text or text.lower() in ("nan", "none", "null"):
                continue
            number = plain_number(text)
            if not -float("inf") < number < float("inf"):
                what = f"{reading.name}: {shortened(text)} is not a finite number"
                raise DataError(what, where=where)
            values[reading.name] = reading.value(number, where)
        said = cells.get(source.source.lower(), "") if source.source else ""
        labels.append(KnownLabel(_in_form(frame.structure, spec, where), values, said, where))
    usual = {"lattice", "properties", "pbc"}
    used = {reading.column for reading in readings} | usual
    return _known(
        source, tuple(labels), sha256(content), readings, [k for k in keys if k not in used]
    )


def _structures(source: LabelSource, spec: CampaignSpec) -> KnownLabels:
    """Return the structures of a file, or of every file of a folder, without labels."""
    paths = [source.file]
    if source.file.is_dir():
        paths = sorted(path for path in source.file.iterdir() if path.is_file())
        require_few(len(paths), str(source.file))
    if source.properties or source.units:
        raise DataError(
            "structures without a table have no values",
            where=str(source.file),
            remedy="Leave properties and units out, or give a table or extended XYZ.",
        )
    labels = tuple(
        KnownLabel(_in_form(read_structure(path).structure, spec, str(path)), {}, "", str(path))
        for path in paths
    )
    checksums = [sha256(read_bytes(path, CSV_BYTES)) for path in paths]
    return _known(source, labels, sha256("".join(checksums)), (), ())


def _in_form(structure: Structure, spec: CampaignSpec, where: str) -> Material:
    try:
        _require_ordered(structure)
    except MaterialError as error:
        raise MaterialError(error.what, where=where, remedy=error.remedy) from error
    return composition_of(structure) if isinstance(spec.space, Compositions) else structure


def _known(
    source: LabelSource,
    labels: tuple[KnownLabel, ...],
    checksum: str,
    readings: Sequence[Reading],
    left: Sequence[str],
) -> KnownLabels:
    if not labels:
        raise DataError("there are no materials in it", where=str(source.file))
    return KnownLabels(
        labels=labels,
        value_of=_tier(source),
        source=source.file.name,
        checksum=checksum,
        duplicates=source.duplicates,
        remarks=tuple(_remarks(readings, left)),
    )


def _tier(source: LabelSource) -> int | None:
    return None if source.tier == "other" else source.tier or 0


def _remarks(readings: Sequence[Reading], left: Sequence[str]) -> Iterator[str]:
    for reading in readings:
        yield reading.said
    if left:
        more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
        yield f"left out: {', '.join(left[:_MOST_NAMED])}{more}"
