"""The local search of fcc Ni18Cr18Fe18 against one that measures all neighbours from scratch."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.campaigns.load import parse_spec
from alloop.exchanges import exchanged_structure
from alloop.loop.controller import Controller
from alloop.loop.record.events import LedgerEntry, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.steps import Step
from alloop.oracles.base import Status
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from benchmarks.lammps.references import BODY, POTENTIAL
from benchmarks.lammps.swap_search import SwapSearchOptions, local_search
from benchmarks.spread import spread

SEEDS = (1, 2, 3, 4, 5)
EARLY = 0.2
"""Early-rejection margin, GPa: about six times the estimate's usual error."""
CAMPAIGN: dict[str, Any] = {
    "name": "search",
    "seed": 1,
    "space": {
        "elements": ["Ni", "Cr", "Fe"],
        "fractions": {element: [0.33, 0.34] for element in ("Ni", "Cr", "Fe")},
        "lattices": ["fcc"],
        "atoms": 54,
    },
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "random", "batch": 2},
    "tiers": [{"kind": "lammps", "potential": POTENTIAL}],
    "execution": {"kind": "local", "workers": 2},
}


def local_search_figures(
    iterations: int = 20, swaps: int = 20, seeds: Sequence[int] = SEEDS
) -> dict[str, Any]:
    """Return the speed of the searches, one core each, and what they find.

    Every search looks at ``iterations`` × ``swaps`` neighbours. What a search found best is
    measured again from scratch, so that all are compared by the same values.
    """
    options = SwapSearchOptions(iterations=iterations, swaps=swaps)
    ways = {
        "": options,
        "_with_early_rejection": options.model_copy(update={"early_rejection": EARLY}),
        "_annealing": options.model_copy(
            update={"procedure": "annealing", "early_rejection": EARLY}
        ),
    }
    oracle = LammpsOracle(LammpsOptions(potential=POTENTIAL))
    oracle.measure(ni18cr18fe18(0))
    scratch = [from_scratch(oracle, ni18cr18fe18(seed), options, seed) for seed in seeds]
    seconds = float(np.mean([each for _, each in scratch]))
    figures: dict[str, Any] = {
        "local_search_seeds": len(seeds),
        "local_search_measurements": iterations * swaps,
        "local_search_from_scratch_seconds": seconds,
        "local_search_from_scratch_best_gpa": spread([best for best, _ in scratch]),
    }
    apart: list[float] = []
    for way, chosen in ways.items():
        bests, times = [], []
        for seed in seeds:
            began = time.perf_counter()
            found = local_search(oracle, ni18cr18fe18(seed), _stiffness, chosen, seed)
            times.append(time.perf_counter() - began)
            best = _bulk_modulus(oracle, found.material(found.best))
            apart.append(abs(best - found.best.score))
            bests.append(best)
        figures |= {
            f"local_search_speedup{way}": seconds / float(np.mean(times)),
            f"local_search_seconds{way}": float(np.mean(times)),
            f"local_search_best{way}_gpa": spread(bests),
        }
    oracle.close()
    return figures | {"local_search_best_max_difference_from_scratch_gpa": max(apart)}


def campaign_search_figures(iterations: int = 20, swaps: int = 20) -> dict[str, float]:
    """Return the time a campaign's augmentation takes on two workers, warm started and not.

    Two chains, so many neighbours in all; from the proposal of the first to the last measurement.
    """
    seconds = {warm: _campaign_seconds(iterations, swaps // 2, warm) for warm in (False, True)}
    return {
        "campaign_search_seconds_from_scratch": seconds[False],
        "campaign_search_seconds_warm_start": seconds[True],
        "campaign_search_speedup": seconds[False] / seconds[True],
    }


def from_scratch(
    oracle: LammpsOracle, start: Structure, options: SwapSearchOptions, seed: int
) -> tuple[float, float]:
    """Return the best bulk modulus and the seconds of a search as a campaign's augmentation does
    it: every neighbour relaxed and strained from scratch.
    """
    began, rng = time.perf_counter(), np.random.default_rng(seed)
    centre, best, seen = start, _bulk_modulus(oracle, start), {tuple(start.species)}
    for _ in range(options.iterations):
        measured = [(best, centre)]
        first, second = np.triu_indices(len(centre), k=1)
        for k in rng.permutation(len(first)):
            if len(measured) > options.swaps:
                break
            i, j = int(first[k]), int(second[k])
            neighbour = exchanged_structure(centre, (i, j))
            if tuple(neighbour.species) not in seen:
                seen.add(tuple(neighbour.species))
                measured.append((_bulk_modulus(oracle, neighbour), neighbour))
        best, centre = max(measured, key=lambda pair: pair[0])
    return best, time.perf_counter() - began


def ni18cr18fe18(seed: int) -> Structure:
    """Return a random ordering of the 54-atom fcc cell."""
    edge = 3.58
    parent = Structure(Lattice.tetragonal(edge / np.sqrt(2), edge), ["Ni"] * 2, BODY) * (3, 3, 3)
    species = np.random.default_rng(seed).permutation(["Ni", "Cr", "Fe"] * 18).tolist()
    return Structure(parent.lattice, species, parent.frac_coords)


class _Clock:
    """Notes when the augmentation began and ended."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def step(self, step: Step, state: CampaignState) -> None:
        pass

    def progress(self, share: float, message: str) -> None:
        pass

    def event(self, entry: LedgerEntry) -> None:
        if getattr(entry.event, "stage", None) is Stage.AUGMENTATION:
            self.times.append(time.perf_counter())


def _campaign_seconds(iterations: int, swaps: int, warm: bool) -> float:
    search = {"parents": 2, "iterations": iterations, "swaps": swaps, "warm_start": warm}
    n = 2 * iterations * swaps
    budget = {"initial": 2, "rounds": 1, "measurements": [4 + n]}
    spec = parse_spec({**CAMPAIGN, "augmentation": search, "budget": budget}, where="benchmark")
    clock = _Clock()
    with (
        tempfile.TemporaryDirectory() as folder,
        Controller(Path(folder) / "run", spec, observer=clock) as controller,
    ):
        state = controller.run()
    answered = [m for m in state.answers() if m.stage is Stage.AUGMENTATION]
    if len(answered) != n:
        raise RuntimeError(f"{len(answered)} of {n} neighbours were measured")
    return clock.times[-1] - clock.times[0]


def _stiffness(properties: Mapping[str, float]) -> float:
    return properties["bulk_modulus"]


def _bulk_modulus(oracle: LammpsOracle, structure: Structure) -> float:
    found = oracle.measure(structure)
    if found.status is Status.FAILED:
        raise RuntimeError(f"{structure.formula}: {found.failure}")
    return found.properties["bulk_modulus"]
