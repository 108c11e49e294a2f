"""The figures of the search: `make bench-search`, or `python -m benchmarks.search PART …` for some.

A part is a module of this folder with a function `measure() -> dict[str, float]`, named in PARTS.
Figures of parts that are not named stay as they were.
"""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from benchmarks.recording import RESULTS, record

PARTS = {
    name: f"benchmarks.search.{name}"
    for name in (
        "fixed",
        "ternary",
        "oer",
        "binaries",
        "pareto",
        "coverage",
        "batch_seconds",
        "discover",
        "ablation",
        "learning",
        "unlabelled",
    )
}
"""Module of each part, in the order in which they are measured; each is imported when its turn
comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all there are, and write results/search.json after each."""
    if unknown := sorted(set(names) - set(PARTS)):
        raise SystemExit(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in names or PARTS:
        if find_spec(PARTS[name]) is None:
            print(f"{name}: not written yet", flush=True)
            continue
        print(f"{name} …", flush=True)
        found: dict[str, float] = import_module(PARTS[name]).measure()
        measured = _earlier() | found  # read now: other parts may have been recorded meanwhile
        print(record("search", measured, command="make bench-search"), flush=True)


def _earlier() -> dict[str, float]:
    path = RESULTS / "search.json"
    figures: dict[str, float] = (
        json.loads(path.read_text("utf-8"))["figures"] if path.exists() else {}
    )
    return figures


if __name__ == "__main__":
    main(sys.argv[1:])
