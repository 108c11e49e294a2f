"""The figures of the page: `make bench-page`, or `python -m benchmarks.page PART …` for some.

A part is a module of this folder with a function `measure() -> dict`, named in PARTS. Figures of
parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence

from benchmarks.recording import record_modules

PARTS = {
    "retraction": "retraction",
    "report": "report",
    "export": "export",
    "latency": "latency",
    "replays": "replays",
}
"""Module of each part, in the order in which they are measured; each is imported when its turn
comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all, and write results/page.json after each."""
    record_modules("page", names, PARTS)


if __name__ == "__main__":
    main(sys.argv[1:])
