"""The figures of the house: `make bench-house`, or `python -m benchmarks.house PART …` for some.

A part is a module of this folder with a function `figures() -> dict[str, float]`, named in PARTS.
Figures of parts that are not named stay as they were.
"""

import json
import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.recording import RESULTS, record

PARTS = (
    "hull",
    "ready_campaigns",
    "start_up",
    "structure",
    "plugin",
)
"""Subjects in the order in which they are measured; each is imported when its turn comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all, and write results/house.json after each."""
    if unknown := sorted(set(names) - set(PARTS)):
        raise SystemExit(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in names or PARTS:
        print(f"{part} …", flush=True)
        found: dict[str, float] = import_module(f"benchmarks.house.{part}").figures()
        print(found, flush=True)
        print(record("house", _earlier() | found, command="make bench-house"), flush=True)


def _earlier() -> dict[str, float]:
    path = RESULTS / "house.json"
    figures: dict[str, float] = (
        json.loads(path.read_text("utf-8"))["figures"] if path.exists() else {}
    )
    return figures


if __name__ == "__main__":
    main(sys.argv[1:])
