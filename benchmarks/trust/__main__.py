"""The figures of trust: `make bench-trust`, or `python -m benchmarks.trust PART …` for some.

A part is a module of this folder with a function `measure() -> dict`, named in PARTS. Figures of
parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.recording import record_parts

PARTS = {
    "kills": "benchmarks.trust.kills.measure",
    "hostile": "benchmarks.trust.hostile.attempts",
    "forgeries": "benchmarks.trust.forgeries",
    "input": "benchmarks.trust.malformed.cases",
    "numbers": "benchmarks.trust.numbers",
    "ledgers": "benchmarks.trust.ledgers",
    "fuzz": "benchmarks.trust.malformed.fuzz",
}
"""Module of each part, in the order in which they are measured."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all, and write results/trust.json after each."""
    record_parts("trust", names, tuple(PARTS), lambda name: import_module(PARTS[name]).measure())


if __name__ == "__main__":
    main(sys.argv[1:])
