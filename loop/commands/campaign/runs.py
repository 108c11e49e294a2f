"""`alloop runs`: every run of a folder, and where it stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alloop.loop.commands.arguments import FolderArgument, FormatOption
from alloop.loop.commands.printing.formats import Format, print_list


def runs(
    folder: FolderArgument = Path("runs"),
    format: FormatOption = Format.TABLE,
) -> None:
    """List the runs of a folder: state, best, time left.

    The time left is estimated from what the run has taken so far. Nothing is written, and no
    controller is held up. A run that cannot be read is listed with the reason.
    """
    from alloop.loop.run_list import list_runs

    rows = [run.to_json() for run in list_runs(folder)]
    print_list(
        rows,
        format,
        whole=("run",),
        shown=_shown,
        empty=f"there are no runs in {folder}",
    )


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    from alloop.loop.report.words import duration, significant

    values = row["values"] or {}
    best = ", ".join(f"{name} {significant(value)}" for name, value in values.items())
    left = row["seconds_left"]
    note = "" if row["is_feasible"] else " (constraints not met)"
    return {
        "run": Path(row["path"]).name,
        "state": f"{row['state']}: {row['why']}" if row["why"] else row["state"],
        "round": f"{row['round']} of {row['rounds']}" if row["name"] else "",
        "measured": f"{row['measured']} of {row['measurements']}" if row["name"] else "",
        "best": f"{row['best']} {best}{note}".strip(),
        "time left": "" if not left else f"about {duration(left)}",
    }
