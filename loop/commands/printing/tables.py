"""Tables for people: words are folded to the width of the screen, nothing is cut."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alloop.files.visible_text import visible


def print_table(
    rows: Sequence[Mapping[str, Any]], *, whole: Collection[str] = (), title: str = ""
) -> None:
    """Print rows under the names of their columns.

    Args:
        rows: all with the same columns.
        whole: columns that keep their width, however narrow the screen.
        title: above the table.
    """
    table = Table(title=cell(title) if title else None)
    for name in rows[0] if rows else ():
        is_whole = name in whole
        widest = max(len(visible(row[name])) for row in rows)
        table.add_column(
            cell(name),
            no_wrap=is_whole,
            overflow="fold",
            min_width=widest if is_whole else None,
        )
    for row in rows:
        table.add_row(*(cell(value) for value in row.values()))
    show(table)


def show(table: Table) -> None:
    """Print a table; where the screen is too narrow for it, its lines run on."""
    Console().print(table, crop=False)


def cell(value: Any, style: str = "") -> Text:
    """Return a value as text that holds no markup."""
    return Text("" if value is None else visible(value), style=style)
