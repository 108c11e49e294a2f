"""The figures of the search: `make bench-search`, or `python -m benchmarks.search PART …` for some.

A part is a module of this folder with a function `measure() -> dict[str, float]`, named in PARTS.
Figures of parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence

from benchmarks.recording import record_modules

PARTS = {
    name: name
    for name in (
        "fixed",
        "ternary",
        "oer",
        "binaries",
        "pareto",
        "coverage",
        "batch_seconds",
        "discover",
        "shares",
        "ablation",
        "learning",
        "unlabelled",
    )
}
"""Module of each part, in the order in which they are measured; each is imported when its turn
comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all, and write results/search.json after each."""
    record_modules("search", names, PARTS)


if __name__ == "__main__":
    main(sys.argv[1:])
