"""A comparison of runs, as tables for people."""

from alloop.loop.commands.printing.tables import print_table
from alloop.loop.commands.printing.text import say
from alloop.loop.compare.comparison import Comparison
from alloop.loop.compare.tables import contrast_rows, group_rows, target_rows


def print_comparison(comparison: Comparison) -> None:
    """Print how the groups compare, and what one has to know to read it."""
    tables = (
        (f"{comparison.progress.label}: {comparison.band.words}", group_rows(comparison)),
        ("labels to reach a target", target_rows(comparison)),
        ("against the baseline, in pairs of one seed", contrast_rows(comparison)),
    )
    for title, rows in tables:
        if rows:
            print_table(rows, whole=("group", "baseline"), title=title)
    for note in comparison.notes:
        say(note)
