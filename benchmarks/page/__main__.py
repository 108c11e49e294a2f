"""The figures of the page: `make bench-page`, or `python -m benchmarks.page PART …` for some.

A part is a module of this folder with a function `measure() -> dict`, named in PARTS. Figures of
parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.recording import record_parts

PARTS = {
    "retraction": "benchmarks.page.retraction",
    "report": "benchmarks.page.report",
    "export": "benchmarks.page.export",
    "latency": "benchmarks.page.latency",
}
"""Module of each part, in the order in which they are measured."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all, and write results/page.json after each."""
    record_parts("page", names, tuple(PARTS), lambda name: import_module(PARTS[name]).measure())


if __name__ == "__main__":
    main(sys.argv[1:])
