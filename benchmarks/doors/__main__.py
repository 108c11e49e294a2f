"""The figures of a campaign's doors: `make bench-doors`, or `python -m benchmarks.doors PART …`.

A part is a function `() -> dict[str, float]` of a module of this folder, named in PARTS.
Figures of parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.recording import record_parts

PARTS = {
    "parents": "parents:measure",
    "ground_states": "ground_states:measure",
    "start": "start:measure",
    "chgnet": "potentials:chgnet_figures",
    "7net_0": "potentials:sevennet_0_figures",
    "7net_l3i5": "potentials:sevennet_l3i5_figures",
    "dear_tier": "potentials:dear_tier_figures",
}
"""Module and function of each part, in the order in which they are measured; each is imported when
its turn comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all there are, and write results/doors.json after each."""
    record_parts("doors", names, tuple(PARTS), _measure)


def _measure(name: str) -> dict[str, float]:
    module, _, function = PARTS[name].partition(":")
    found: dict[str, float] = getattr(import_module(f"benchmarks.doors.{module}"), function)()
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
