"""Measurements as a CSV and as JSON."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from alloop.files.spreadsheet import csv_cell
from alloop.loop.export.contents import Exported

_COLUMNS = (
    *("candidate", "formula", "lattice", "tier", "oracle", "round", "stage", "status", "failure"),
)


def measurements_csv(items: Sequence[Exported], names: Sequence[str]) -> str:
    """Return a row for each measurement, with a column for each property.

    Texts that a spreadsheet would run are quoted; line breaks and control characters are spelled
    out.

    Args:
        items: the measurements.
        names: properties to come first; others that were measured follow.
    """
    measured = (name for item in items for name in item.measured.properties)
    columns = list(dict.fromkeys((*names, *measured)))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *columns, "doubts", "wall_seconds", "core_hours", "structure"])
    for item in items:
        facts, m = item.to_json(), item.measured
        doubts = "; ".join(f"{name}: {why}" for name, why in m.doubts.items())
        values = [m.properties.get(name, "") for name in columns]
        row = [*(facts[name] for name in _COLUMNS), *values, doubts]
        writer.writerow(map(csv_cell, [*row, m.wall_seconds, m.core_hours, item.cif or ""]))
    return text.getvalue()


def measurements_json(
    items: Sequence[Exported], campaign: str, units: Mapping[str, str], head: str
) -> str:
    """Return everything about each measurement, with the units and the hash of the ledger's last
    entry."""
    document = {
        "campaign": campaign,
        "head": head,
        "units": dict(units),
        "measurements": [item.to_json() for item in items],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
