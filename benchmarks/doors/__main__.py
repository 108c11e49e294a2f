"""The figures of a campaign's doors: `make bench-doors`, or `python -m benchmarks.doors PART …`.

A part is a function `() -> dict[str, float]` of a module of this folder, named in PARTS.
Figures of parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence

from benchmarks.recording import record_modules

PARTS = {
    "parents": "parents",
    "ground_states": "ground_states",
    "start": "start",
    "slurm": "slurm",
    "chgnet": "potentials:chgnet_figures",
    "7net_0": "potentials:sevennet_0_figures",
    "7net_l3i5": "potentials:sevennet_l3i5_figures",
    "seconds": "potentials:seconds_figures",
    "iron_nickel": "potentials:iron_nickel_figures",
    "dear_tier": "potentials:dear_tier_figures",
}
"""Module and function of each part, in the order in which they are measured; each is imported when
its turn comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all, and write results/doors.json after each."""
    record_modules("doors", names, PARTS)


if __name__ == "__main__":
    main(sys.argv[1:])
