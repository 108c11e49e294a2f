"""JSON files of records, read as strictly as CSV files and into the same tables."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymatgen.core import Element, Lattice, Structure

from alloop.canonical import sha256
from alloop.errors import DataError, MaterialError
from alloop.files.csv_table import CsvRow, CsvTable
from alloop.files.limits import CSV_BYTES
from alloop.files.reading import read_bytes


def read_json_table(path: Path) -> CsvTable:
    """Read a JSON list of records, compressed or not; what is nested stays JSON text in its cell.

    Raises:
        DataError: if it is no such file, or its records have not the same keys.
    """
    content = read_bytes(path, CSV_BYTES, is_unpacked=True)
    try:
        records = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"this is not JSON ({error})", where=str(path)) from error
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise DataError("the file is not a list of records", where=str(path))
    if not records:
        return CsvTable(path, sha256(content), (), ())
    columns = tuple(records[0])
    rows = []
    for number, record in enumerate(records, start=1):
        row = CsvRow(path, number, {key: _cell(value) for key, value in record.items()}, "record")
        if set(record) != set(columns):
            raise row.error(None, "its keys are not those of the first record")
        rows.append(row)
    return CsvTable(path, sha256(content), columns, tuple(rows))


def structure_from_pymatgen(text: str) -> Structure:
    """Return the crystal of pymatgen's JSON: its cell, elements and fractional coordinates.

    Charges and site properties are left out. Nothing that the text names is imported or called.

    Raises:
        MaterialError: if it is no such JSON, or a site is partly occupied.
    """
    try:
        data: Mapping[str, Any] = json.loads(text)
        species, coordinates = [], []
        for site in data["sites"]:
            (atom,) = site["species"]
            if atom["occu"] != 1:
                raise ValueError("a site is partly occupied")
            species.append(Element(atom["element"]))
            coordinates.append([float(x) for x in site["abc"]])
        cell = [[float(x) for x in vector] for vector in data["lattice"]["matrix"]]
        return Structure(Lattice(cell), species, coordinates)
    except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise MaterialError(f"this is not a crystal in pymatgen's JSON ({error})") from error


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)
