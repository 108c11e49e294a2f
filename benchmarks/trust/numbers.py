"""Numbers that are right, or said to be doubtful: artefacts, tolerances, cells."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.campaigns.load import parse_spec
from alloop.loop.controller import Controller
from alloop.loop.record.events import Measured
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.lattice.parent import ParentLattice
from alloop.oracles.base import Status
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.testing.cells import equivalent_cells, invariance
from tests.loop.observers import Silent

SEEDS = range(5)
CU_NI = "CuNi.eam.alloy"
AL_CU = ("AlCu.eam.alloy", "AlSiMgCuFe.meam")
"""Al-Cu by Cai and Ye, whose energy jumps at the cutoff, and by Jelinek and others."""
SMOOTH = (165.0, 182.0)
"""Bulk moduli of fcc Cu6Ni10 that a smooth fit allows, GPa: between copper's 138 and nickel's 181,
under the potential, with its scatter."""
USUAL_RANGE = (141.0, 191.0)
"""Range of the bulk moduli of Cu-Ni at the usual strain, but for artefacts, GPa."""
CELLS = (("fcc", 2, 4), ("bcc", 2, 4), ("fcc", 16, 40), ("bcc", 16, 40), ("fcc", 54, 10))
"""Lattice, atoms and number of random Al-Cu cells."""


def measure() -> dict[str, Any]:
    """Return the figures."""
    campaigns = [_campaign(seed) for seed in SEEDS]
    lost, cells = _lost()
    nickel = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.379), ["Ni"], [[0.0] * 3])
    iron_nickel = Structure(Lattice.tetragonal(2.5, 3.6), ["Ni", "Fe"], [[0.0] * 3, [0.5] * 3])
    lammps = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017", properties=("c11",)))
    found = [invariance(lammps, equivalent_cells(each)) for each in (nickel, iron_nickel)]
    lammps.close()
    with tempfile.TemporaryDirectory() as folder:
        chgnet = {
            protocol: invariance(
                DftOracle(DftOptions(folder=Path(folder), protocol=protocol, timeout=1200)),
                equivalent_cells(nickel),
            )
            for protocol in ("relax", "elastic")
        }
    return {
        "artefact_found_of_5": sum(map(_is_found, campaigns)),
        "artefacts_named": [len(_artefacts(state)) for state in campaigns],
        "best_gpa": [_best(state) for state in campaigns],
        "alcu_lost": lost,
        "alcu_cells": cells,
        "invariance_max_relative_lammps": max(max(each.values()) for each in found),
        "invariance_max_relative_chgnet": max(max(each.values()) for each in chgnet.values()),
        "invariance_chgnet": {name: max(each.values()) for name, each in chgnet.items()},
    }


def _campaign(seed: int) -> CampaignState:
    """Return a finished search for the stiffest ordering of fcc Cu6Ni10."""
    spec = {
        "name": "cu6ni10",
        "seed": seed,
        "space": {
            "elements": ["Cu", "Ni"],
            "fractions": {"Cu": [0.36, 0.39]},
            "lattices": ["fcc"],
            "atoms": 16,
        },
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "acquisition": {"strategy": "random", "batch": 8},
        "augmentation": {"kind": "local-search", "parents": 2, "iterations": 2, "swaps": 8},
        "tiers": [{"kind": "lammps", "potential": CU_NI}],
        "budget": {"initial": 16, "rounds": 2, "measurements": [64]},
        "cache": False,
    }
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with Controller(run, parse_spec(spec, where="cu6ni10"), observer=Silent()) as controller:
            return controller.run()


def _artefacts(state: CampaignState) -> list[Measured]:
    """Return measurements whose value at the usual strain was found to be an artefact."""
    return [
        m
        for m in state.measured.values()
        if "bulk_modulus" in m.doubts or "artefact" in m.remarks.get("bulk_modulus", "")
    ]


def _is_found(state: CampaignState) -> bool:
    """Return whether artefacts above the usual range were named, and none is among the values
    that the campaign goes by."""
    named = any(_usual(m) > USUAL_RANGE[1] for m in _artefacts(state))
    low, high = SMOOTH
    return named and all(low < m.properties["bulk_modulus"] < high for m in state.answers())


def _usual(m: Measured) -> float:
    """Return the modulus at the usual strain that a remark or doubt names, GPa."""
    note = m.remarks.get("bulk_modulus") or m.doubts["bulk_modulus"]
    return float(note.split(": ")[1].split(" GPa")[0])


def _best(state: CampaignState) -> float | None:
    best = state.best()
    return None if best is None else best.properties["bulk_modulus"]


def _lost() -> tuple[int, int]:
    """Return how many random Al-Cu cells could not be measured, and how many there were."""
    lost = cells = 0
    for potential in AL_CU:
        oracle = LammpsOracle(LammpsOptions(potential=potential), elements=["Al", "Cu"])
        for lattice, atoms, n in CELLS:
            parent = ParentLattice.of_size(lattice, atoms)
            for seed in range(n):
                rng = np.random.default_rng(seed)
                share = rng.uniform(0.05, 0.95)
                species = rng.choice(["Al", "Cu"], atoms, p=[share, 1 - share])
                found = oracle.measure(parent.structure(species.tolist()))
                lost += found.status is not Status.OK
                cells += 1
        oracle.close()
    return lost, cells
