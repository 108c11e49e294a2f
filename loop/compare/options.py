"""What `alloop compare` is told on the command line, read."""

import math
from collections.abc import Sequence
from pathlib import Path

from alloop.errors import RunError
from alloop.loop.compare.statistics.curves import Band


def labels_in(texts: Sequence[str]) -> dict[str, list[Path]]:
    """Return names of groups and their runs, from ``NAME=RUN,RUN`` texts.

    Raises:
        RunError: if one says nothing of the kind, or a name stands twice.
    """
    labels: dict[str, list[Path]] = {}
    for text in texts:
        name, _, runs = text.partition("=")
        paths = [Path(run) for run in runs.split(",") if run]
        if not name.strip() or not paths:
            raise RunError(
                f"--label {text!r} names no runs", remedy="Write --label NAME=RUN or NAME=RUN,RUN."
            )
        if name in labels:
            raise RunError(
                f"--label {name!r} stands twice", remedy="List all its runs under one --label."
            )
        labels[name] = paths
    return labels


def reference_in(texts: Sequence[str]) -> dict[str, float] | None:
    """Return a reference point by property, from ``PROPERTY=VALUE`` texts; None for none.

    Raises:
        RunError: if one has no number.
    """
    point: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            point[name] = float(value)
        except ValueError:
            point[name] = math.nan
        if not math.isfinite(point[name]):
            raise RunError(
                f"--reference {text!r} has no number",
                remedy="Write --reference PROPERTY=VALUE, once for each objective.",
            )
    return point or None


def band_named(name: str) -> Band:
    """Return a band by its name.

    Raises:
        RunError: if there is none of the name.
    """
    if name not in list(Band):
        raise RunError(f"there is no band {name!r}", remedy=f"Choose {' or '.join(Band)}.")
    return Band(name)
