"""Data sets of crystals as CDVAE publishes them: CSV with a column of CIFs and of properties."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from alloop.errors import DataError, MaterialError
from alloop.files.cif import read_cif
from alloop.files.csv_table import CsvTable, plain_number, read_csv_table, shortened
from alloop.models.base import Dataset, SkippedRow

_UNKNOWN = frozenset({"", "nan", "na", "n/a", "none", "null"})
"""Texts, in lower case, of cells whose value is not known."""

AUGMENTED = "is_augmented"
"""Column that is true in rows of local search; where there is none, no row is of one."""


@dataclass(frozen=True)
class CrystalTable:
    """Crystals read from a file, and the rows that were skipped."""

    data: Dataset
    rows: tuple[int, ...]
    """Row in the file of each crystal in ``data``."""
    names: tuple[str, ...]
    """``material_id`` of each crystal in ``data``; empty where the table has none."""
    skipped: tuple[SkippedRow, ...]


def read_crystal_table(
    path: Path,
    properties: Mapping[str, str],
    *,
    refusal: Callable[[Structure], str | None] = lambda _: None,
) -> CrystalTable:
    """Read crystals and their properties.

    Rows whose CIF cannot be read, is disordered or is refused by the model are skipped and named.
    An empty or NaN cell is a property that is not known.

    Args:
        path: CSV with a column ``cif``.
        properties: property name to its column, for example
            ``{"formation_energy_per_atom": "heat_all"}``; values in the property's unit.
        refusal: why a model cannot hold a crystal; None where it can.

    Raises:
        MaterialError: if a column is missing, a property is text, or no row is a crystal.
    """
    table = _read(path)
    for column in ("cif", *properties.values()):
        if column not in table.columns:
            raise MaterialError(
                f"there is no column {column!r}; there are {', '.join(table.columns)}",
                where=str(path),
            )
    labels = np.array(
        [_numbers(table, column) for column in properties.values()], dtype=float
    ).T.reshape(len(table.rows), len(properties))
    is_augmented = _is_augmented(table)
    all_names = [row.cells.get("material_id", "") for row in table.rows]
    crystals: list[Structure] = []
    rows: list[int] = []
    skipped: list[SkippedRow] = []
    for row, name in enumerate(all_names):
        found = _ordered_crystal(table.rows[row].cells["cif"])
        reason = found if isinstance(found, str) else refusal(found)
        if isinstance(found, str) or reason is not None:
            skipped.append(SkippedRow(row, name, str(reason)))
            continue
        crystals.append(found)
        rows.append(row)
    if not crystals:
        first = f"; row 0: {skipped[0].reason}" if skipped else ""
        raise MaterialError(f"none of {len(table.rows)} rows is a crystal{first}", where=str(path))
    data = Dataset(
        materials=tuple(crystals),
        property_names=tuple(properties),
        labels=labels[rows],
        is_augmented=is_augmented[rows],
    )
    return CrystalTable(data, tuple(rows), tuple(all_names[row] for row in rows), tuple(skipped))


def _read(path: Path) -> CsvTable:
    try:
        return read_csv_table(path)
    except DataError as error:
        raise MaterialError(
            f"this is not a readable CSV file ({error.what})",
            where=error.where,
            remedy=error.remedy or "Give a CSV with a column cif and one per property.",
        ) from error


def _numbers(table: CsvTable, column: str) -> list[float]:
    texts = [row.cells[column] for row in table.rows]
    values = [math.nan if text.lower() in _UNKNOWN else plain_number(text) for text in texts]
    wrong = [
        row
        for row, (text, value) in enumerate(zip(texts, values, strict=True))
        if not math.isfinite(value) and text.lower() not in _UNKNOWN
    ]
    if wrong:
        raise MaterialError(
            f"{shortened(texts[wrong[0]])} in column {column!r}, row {wrong[0]}, is no finite "
            f"number ({len(wrong)} such cells)",
            where=str(table.path),
            remedy="Leave the cell empty where the value is not known.",
        )
    return values


def _is_augmented(table: CsvTable) -> NDArray[np.bool_]:
    texts = [row.cells.get(AUGMENTED, "False") for row in table.rows]
    if not set(texts) <= {"True", "False"}:
        raise MaterialError(
            f"the column {AUGMENTED} holds something else than True and False",
            where=str(table.path),
        )
    return np.array([text == "True" for text in texts], dtype=bool)


def _ordered_crystal(cif: str) -> Structure | str:
    """Return the structure, or why there is none."""
    if cif.lower() in _UNKNOWN:
        return "the cell cif is empty"
    try:
        structure = read_cif(cif).structure
    except MaterialError as error:
        return error.what
    return structure if structure.is_ordered else "it has partly occupied sites"
