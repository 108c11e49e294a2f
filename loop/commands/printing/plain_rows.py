"""Rows of plain values as a table shows them."""

from collections.abc import Mapping
from typing import Any


def shown_row(row: Mapping[str, Any], digits: int) -> dict[str, Any]:
    """Return a row with words in place of underscores, short ids, numbers to four digits.

    Args:
        row: plain values by column.
        digits: that a candidate's id is shown with.
    """
    return {name.replace("_", " "): _shown(name, row[name], digits) for name in row}


def _shown(name: str, value: Any, digits: int) -> Any:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case str() if name == "candidate":
            return value[:digits]
        case _:
            return value
