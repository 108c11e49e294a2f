"""The figures of a campaign's doors: `make bench-doors`, or `python -m benchmarks.doors PART …`.

A part is a module of this folder with a function `measure() -> dict[str, float]`, named in PARTS.
Figures of parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.recording import record_parts

PARTS = {name: f"benchmarks.doors.{name}" for name in ("parents", "start")}
"""Module of each part, in the order in which they are measured; each is imported when its turn
comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all there are, and write results/doors.json after each."""
    record_parts("doors", names, tuple(PARTS), _measure)


def _measure(name: str) -> dict[str, float]:
    found: dict[str, float] = import_module(PARTS[name]).measure()
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
