"""Cells that no spreadsheet takes for a formula, in every CSV that Alloop writes.

The rule: a text whose first character that is no blank is one of ``= + - @`` (or their full-width
forms), or that begins with a tab or a carriage return, gets an apostrophe in front; numbers,
negative ones too, stay as they are. ``alloop.files.csv_table`` takes the apostrophe off again.
"""

import math
from typing import Any

from alloop.files.visible_text import visible

_OBEYED = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_ALSO_FIRST = ("\t", "\r")


def csv_cell(value: Any) -> Any:
    """Return a text that no terminal obeys and no spreadsheet takes for a formula; other values
    as they are.
    """
    return spreadsheet_cell(visible(value)) if isinstance(value, str) else value


def spreadsheet_cell(text: str) -> str:
    """Return a text as it may stand in a CSV: what a spreadsheet would run is quoted."""
    return f"'{text}" if _is_obeyed(text) else text


def without_quote(cell: str) -> str:
    """Return the text that ``spreadsheet_cell`` made a cell of."""
    return cell[1:] if cell.startswith("'") and _is_obeyed(cell[1:]) else cell


def _is_obeyed(text: str) -> bool:
    if text.startswith(_ALSO_FIRST):
        return True
    if not text.lstrip().startswith(_OBEYED):
        return False
    try:
        return not math.isfinite(float(text)) or not text.isascii()
    except ValueError:
        return True
