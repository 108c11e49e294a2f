"""The figures of the house: `make bench-house`, or `python -m benchmarks.house PART …` for some.

A part is a module of this folder with a function `figures() -> dict[str, float]`, named in PARTS;
or a ready campaign by its name. Figures of parts that are not named stay as they were.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from alloop.campaigns.load import ready_campaigns
from benchmarks.house.ready_campaigns import figures as campaign_figures
from benchmarks.house.ready_campaigns import totals
from benchmarks.recording import record_parts

PARTS = ("hull", "start_up", "structure", "plugin", "dvae_fit")
"""Subjects in the order in which they are measured; each is imported when its turn comes."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts and campaigns, or all, and write results/house.json after each."""
    record_parts("house", names, (*PARTS, *ready_campaigns()), _figures, totals=totals)


def _figures(name: str) -> dict[str, float]:
    if name not in PARTS:
        return campaign_figures(name)
    found: dict[str, float] = import_module(f"benchmarks.house.{name}").figures()
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
