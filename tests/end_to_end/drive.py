"""Run or continue the small campaign in RUN: drive.py RUN CALLS [deadly]."""

import sys
from dataclasses import replace
from pathlib import Path

from counting_oracle import CountingOracle

from campaigns.load import parse_spec
from loop.controller import Controller
from loop.records import LedgerEntry
from loop.state import CampaignState
from loop.steps import Step

SPEC = {
    "name": "small",
    "seed": 3,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16, "fractions": {"Ni": [0.1, 0.7]}},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "formation_energy_per_atom", "max": 0.09}],
    "model": {"width": 8, "depth": 1, "epochs": 3, "unlabelled": 32},
    "acquisition": {"batch": 4, "pool": 16, "aim": "dearest"},
    "augmentation": {"parents": 2, "iterations": 2, "swaps": 3},
    "budget": {"initial": 12, "rounds": 2, "measurements": [200, 20]},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "lammps", "potential": "NiFeCr-Wu2017", "promote": 5},
    ],
    "promotion": {"rule": "gain-per-cost", "when": "round", "keep_structure": True},
}


class Silent:
    """Watches and says nothing, but for one line when the work begins."""

    def step(self, step: Step, state: CampaignState) -> None:
        pass

    def progress(self, share: float, message: str) -> None:
        pass

    def event(self, entry: LedgerEntry) -> None:
        if entry.event.kind == "session_opened":
            print("begun", flush=True)


def main() -> None:
    run, calls = Path(sys.argv[1]), Path(sys.argv[2])
    spec = parse_spec(SPEC, where="small")
    cheap = CountingOracle(calls, is_deadly="deadly" in sys.argv[3:])
    oracles = (cheap, replace(cheap, calls=calls.with_suffix(".dear"), offset=-20.0))
    with Controller(run, spec, build_oracles=lambda _: oracles, observer=Silent()) as controller:
        controller.run()
    print("closed", flush=True)


if __name__ == "__main__":
    main()
