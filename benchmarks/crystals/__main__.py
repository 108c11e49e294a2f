"""The figures of crystals: `make bench-crystals`, or `python -m benchmarks.crystals PART …`.

A part is a function `() -> dict[str, Any]` of a module of this folder, named in PARTS. Figures of
parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence

from benchmarks.recording import record_modules

PARTS = {
    "generator": "generator",
    "loop_gain": "loop_gain",
    "ftcp_loop_gain": "ftcp_loop_gain",
    "dvae_loop_gain": "dvae_loop_gain",
    "local_search_share": "local_search_share",
    "cases": "cases",
    "power_factor": "power_factor",
    "stable": "stable:orderings",
    "stable_prototypes": "stable:prototypes",
}
"""Module of each part, in the order in which they are measured; each is imported when its turn
comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all, and write results/crystals.json after each."""
    record_modules("crystals", names, PARTS)


if __name__ == "__main__":
    main(sys.argv[1:])
