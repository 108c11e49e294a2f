"""CSV files read strictly: whatever cannot be used is named by line and column."""

import csv
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pymatgen.core import Composition, Element

from alloop.errors import DataError

MAX_BYTES = 200_000_000
MAX_FORMULA_LENGTH = 200
"""Largest length of a formula in characters; the longest alloy has a few dozen."""
FRACTION_TOLERANCE = 1e-3
"""Tolerance of atomic fractions, against a sum of one and against the formula: they are often
printed with three digits."""
BINARY_PROPERTIES = frozenset({"single_phase_probability"})
"""Properties whose labels are binary observations, 1 or 0."""


@dataclass(frozen=True)
class CsvRow:
    """One row of a CSV table below its header."""

    path: Path
    line: int
    """Line number in the file, from 1; where the row ends, if it spans several."""
    cells: Mapping[str, str]
    """Text of each cell by column, without surrounding blanks."""
    unit: str = "line"
    """What ``line`` counts, in words: a JSON file has records."""

    def error(self, column: str | None, what: str, remedy: str = "") -> DataError:
        """Return the error that names this row."""
        place = f"{self.path}: {self.unit} {self.line}"
        return DataError(
            what, where=place if column is None else f"{place}, column {column!r}", remedy=remedy
        )


@dataclass(frozen=True)
class CsvTable:
    """A CSV file read whole: its bytes, columns and rows."""

    path: Path
    content: bytes
    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]

    def require(self, column: str) -> None:
        """Raise DataError if the column is not there."""
        if column not in self.columns:
            raise DataError(
                f"there is no column {column!r}",
                where=str(self.path),
                remedy=f"Its columns are {', '.join(self.columns)}.",
            )

    def refuse_others(self, known: Collection[str | None], remedy: str) -> None:
        """Raise DataError for the first column that is none of the known."""
        for column in self.columns:
            if column not in known:
                raise DataError(
                    f"the column {column!r} means nothing here", where=str(self.path), remedy=remedy
                )

    def element_columns(self, others: Collection[str | None]) -> tuple[str, ...]:
        """Return the columns named like an element, except those known to mean something else."""
        named = [column for column in self.columns if column not in others]
        return tuple(column for column in named if Element.is_valid_symbol(column))


def read_csv_table(path: Path, columns: Sequence[str] | None = None) -> CsvTable:
    """Read a CSV with a header; lines above the header that begin with # are remarks.

    Args:
        path: of the file.
        columns: names of the columns of a file that has no header.

    Raises:
        DataError: if it is no such file, or a row is empty or has not one cell per column.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(
                f"{path.stat().st_size} bytes are too many for a table", where=str(path)
            )
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise DataError("this is not text in UTF-8", where=str(path)) from error
    lines = text.splitlines(keepends=True)
    n_remarks = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    reader = csv.reader(lines[n_remarks:], strict=True)
    try:
        header = list(columns or (cell.strip() for cell in next(reader, [])))
        found = [(n_remarks + reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise DataError(
            f"this is not CSV ({error})", where=f"{path}: line {n_remarks + reader.line_num}"
        ) from error
    if not any(header):
        raise DataError("the file has no header", where=str(path))
    if twice := next((c for i, c in enumerate(header) if c in header[:i]), None):
        raise DataError(f"the column {twice!r} appears twice in the header", where=str(path))
    rows = tuple(_row(path, header, line, cells) for line, cells in found)
    return CsvTable(path, content, tuple(header), rows)


def composition_in(row: CsvRow, formula: str | None, elements: Sequence[str]) -> Composition:
    """Return the composition of a row, as fractions that sum to one.

    Args:
        row: of a sheet.
        formula: column of the formula; None where there is none.
        elements: columns of fractions, named by element; where both are there, they must agree.

    Raises:
        DataError: naming line and column.
    """
    fractions = _fractions(row, elements) if elements else None
    if formula is None:
        if fractions is None:
            raise row.error(None, "there is neither a formula nor a fraction of any element")
        return Composition(fractions).fractional_composition
    composition = _parsed(row, formula)
    if fractions is None:
        return composition
    for element in composition.elements:
        if element.symbol not in fractions:
            raise row.error(formula, f"{row.cells[formula]} has {element}, which has no column")
    for symbol, fraction in fractions.items():
        if abs(composition[symbol] - fraction) > FRACTION_TOLERANCE:
            raise row.error(
                symbol,
                f"the fraction {fraction:g} is not that of {row.cells[formula]}, "
                f"{composition[symbol]:.4g}",
            )
    return composition


def value_in(row: CsvRow, column: str, property: str) -> float | None:
    """Return the value of a property in its unit; None for an empty cell.

    Raises:
        DataError: naming line and column.
    """
    text = row.cells[column]
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise row.error(column, f"{text!r} is not a finite number", "Leave what is unknown empty.")
    if property in BINARY_PROPERTIES and value not in (0.0, 1.0):
        raise row.error(column, f"{text!r} is not a label of {property}: labels are 0 or 1")
    return value


def _row(path: Path, header: Sequence[str], line: int, cells: Sequence[str]) -> CsvRow:
    row = CsvRow(path, line, dict(zip(header, (cell.strip() for cell in cells), strict=False)))
    if not any(row.cells.values()):
        raise row.error(None, "the row is empty", "Remove it.")
    if len(cells) != len(header):
        raise row.error(None, f"the row has {len(cells)} cells for {len(header)} columns")
    return row


def _parsed(row: CsvRow, column: str) -> Composition:
    text = row.cells[column]
    try:
        if not text or len(text) > MAX_FORMULA_LENGTH:
            raise ValueError("it is empty" if not text else "it is too long")
        if text == "NaN":  # written for what is missing far more often than for Na and N
            raise ValueError("write NNa if sodium and nitrogen are meant")
        composition = Composition(text)
        if not all(isinstance(element, Element) for element in composition.elements):
            raise ValueError("not every symbol in it is an element")
        if not 0 < composition.num_atoms < math.inf:
            raise ValueError("its amounts are not numbers above zero")
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise row.error(
            column, f"{text[:40]!r} is not a formula ({error})", "Write it like Al0.5CoCrFeNi."
        ) from error
    return composition.fractional_composition


def _fractions(row: CsvRow, elements: Sequence[str]) -> dict[str, float]:
    fractions = {}
    for symbol in elements:
        text = row.cells[symbol] or "0"
        try:
            fractions[symbol] = float(text)
        except ValueError:
            fractions[symbol] = math.nan
        if not 0 <= fractions[symbol] <= 1:
            raise row.error(symbol, f"{text!r} is not a fraction between 0 and 1")
    total = sum(fractions.values())
    if abs(total - 1) > FRACTION_TOLERANCE:
        raise row.error(None, f"the fractions of the elements sum to {total:.4g}, not to 1")
    return fractions
