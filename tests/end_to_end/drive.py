"""A small campaign with a known answer, in a process of its own."""

from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from alloop.campaigns.load import parse_spec
from alloop.loop.controller import Controller
from alloop.loop.record.events import LedgerEntry
from tests.end_to_end.counting_oracle import CountingOracle
from tests.loop.observers import Silent

SPEC = {
    "name": "small",
    "seed": 3,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16, "fractions": {"Ni": [0.1, 0.7]}},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "formation_energy_per_atom", "max": 0.09}],
    "model": {"width": 8, "depth": 1, "epochs": 3, "unlabelled": 32},
    "acquisition": {"batch": 4, "pool": 16, "aim": "top-tier"},
    "augmentation": {"parents": 2, "iterations": 2, "swaps": 3},
    "budget": {"initial": 12, "rounds": 2, "measurements": [200, 20]},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "lammps", "potential": "NiFeCr-Wu2017", "promote": 5},
    ],
    "promotion": {"rule": "gain-per-cost", "when": "round", "keep_structure": True},
}


class Teller(Silent):
    """Watches and says nothing, but for one word when the work begins."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def event(self, entry: LedgerEntry) -> None:
        if entry.event.kind == "session_opened":
            self._pipe.send("begun")


def drive(pipe: Connection, run: Path, calls: Path, is_deadly: bool = False) -> None:
    """Launch or continue it, to its end."""
    spec = parse_spec(SPEC, where="small")
    cheap = CountingOracle(calls, is_deadly=is_deadly)
    oracles = (cheap, replace(cheap, calls=calls.with_suffix(".dear"), offset=-20.0))
    teller = Teller(pipe)
    with Controller(run, spec, build_oracles=lambda _: oracles, observer=teller) as controller:
        controller.run()
    pipe.send("closed")
