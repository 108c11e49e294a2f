"""Data sets of alloys for training: CSV with a column of formulas and of properties."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pymatgen.core import Composition

from alloop.errors import DataError, MaterialError
from alloop.files.csv_table import CsvRow, composition_in, number_in, read_csv_table
from alloop.models.base import Dataset, SkippedRow

FORMULAS = ("formula", "pretty_formula", "composition", "Alloys")
"""Columns of formulas, the first that is there."""


def read_composition_table(
    path: Path, properties: Mapping[str, str], elements: tuple[str, ...]
) -> tuple[Dataset, tuple[SkippedRow, ...]]:
    """Read alloys and their properties; rows that are no alloy of the elements are skipped.

    Args:
        path: CSV with a column of ``FORMULAS``.
        properties: property name to its column; values in the property's unit, empty where a value
            is not known.
        elements: that the model knows.

    Raises:
        MaterialError: if a column is missing, or no row can be used.
        DataError: naming line and column of a cell that is no number.
    """
    table = read_csv_table(path)
    formula = next((column for column in FORMULAS if column in table.columns), FORMULAS[0])
    for column in (formula, *properties.values()):
        if column not in table.columns:
            raise MaterialError(
                f"there is no column {column!r}; there are {', '.join(table.columns)}",
                where=str(path),
            )
    materials: list[Composition] = []
    labels: list[list[float]] = []
    skipped: list[SkippedRow] = []
    for place, row in enumerate(table.rows):
        found = _alloy(row, formula, elements)
        if isinstance(found, str):
            skipped.append(SkippedRow(place, row.cells[formula], found))
            continue
        materials.append(found)
        values = (number_in(row, column) for column in properties.values())
        labels.append([math.nan if value is None else value for value in values])
    if not materials:
        first = f"; row 0: {skipped[0].reason}" if skipped else ""
        raise MaterialError(
            f"none of {len(table.rows)} rows is an alloy of {', '.join(elements)}{first}",
            where=str(path),
        )
    data = Dataset(
        materials=tuple(materials),
        property_names=tuple(properties),
        labels=np.array(labels, dtype=float).reshape(len(materials), len(properties)),
        is_augmented=np.zeros(len(materials), dtype=bool),
    )
    return data, tuple(skipped)


def _alloy(row: CsvRow, formula: str, elements: tuple[str, ...]) -> Composition | str:
    """Return the composition of a row, or why it is none that the model knows."""
    try:
        found = composition_in(row, formula, ())
    except DataError as error:
        return error.what
    stray = sorted({element.symbol for element in found.elements} - set(elements))
    return f"contains {stray[0]}, which the space does not list" if stray else found
