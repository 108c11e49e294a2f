"""Rows of values, printed for people or for programs."""

import csv
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from alloop.files.spreadsheet import csv_cell
from alloop.loop.commands.printing.output import is_unicode
from alloop.loop.commands.printing.text import say, say_aside

Row = Mapping[str, Any]


class Format(StrEnum):
    """Formats that rows are printed in."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def print_list(
    rows: Sequence[Row],
    format: Format,
    *,
    empty: str,
    whole: Collection[str] = (),
    shown: Callable[[Row], Row] = dict,
    most: int | None = None,
) -> None:
    """Print a list in the format that was asked for.

    Args:
        rows: what JSON and CSV hold.
        format: one of the three.
        empty: why there is nothing, where there is nothing.
        whole: columns of a table that are never broken: what a person may want to type.
        shown: what a table shows of a row.
        most: rows that a table shows; it says how many there are besides.
    """
    if not rows:
        (say if format is Format.TABLE else say_aside)(empty)
    match format:
        case Format.JSON:
            print_json(rows)
        case Format.CSV:
            print_csv(rows)
        case Format.TABLE if rows:
            from alloop.loop.commands.printing.tables import print_table

            print_table([shown(row) for row in rows[:most]], whole=whole)
            if most is not None and len(rows) > most:
                say(f"… and {len(rows) - most} more; --format csv prints all")


def print_json(value: Any) -> None:
    """Print a value as JSON that a person can read."""
    text = json.dumps(value, indent=1, ensure_ascii=not is_unicode(sys.stdout))
    # JSON escapes the control characters below a space, but not those that follow DEL.
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def print_csv(rows: Sequence[Row]) -> None:
    """Print rows as CSV with a head; a column for every name that occurs."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return
    writer = csv.writer(sys.stdout)
    writer.writerow([csv_cell(name) for name in names])
    writer.writerows([csv_cell(row.get(name)) for name in names] for row in rows)
