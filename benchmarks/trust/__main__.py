"""The figures of trust: `make bench-trust`, or `python -m benchmarks.trust PART …` for some.

A part is a module of this folder with a function `measure() -> dict`, named in PARTS. Figures of
parts that are not named stay as they were.
"""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from benchmarks.recording import RESULTS, record

PARTS = {
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
    if unknown := sorted(set(names) - set(PARTS)):
        raise SystemExit(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in names or PARTS:
        print(f"{name} …", flush=True)
        found: dict[str, Any] = import_module(PARTS[name]).measure()
        # Read now: other parts may have been recorded meanwhile.
        print(record("trust", _earlier() | found, command="make bench-trust"), flush=True)


def _earlier() -> dict[str, Any]:
    path = RESULTS / "trust.json"
    figures: dict[str, Any] = (
        json.loads(path.read_text("utf-8"))["figures"] if path.exists() else {}
    )
    return figures


if __name__ == "__main__":
    main(sys.argv[1:])
