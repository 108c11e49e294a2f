"""How many bulk moduli per second the real pool of workers gives, and where its time goes."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from alloop.campaigns.execution import LocalExecution
from alloop.canonical import canonical_json
from alloop.loop.measure.execution import MeasuringPool
from alloop.loop.measure.spool import Spool
from alloop.materials import material_to_json
from alloop.oracles.base import Measurement, Status
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from benchmarks.lammps.references import POTENTIAL
from benchmarks.loop.labels import random_alloy

N_LABELS = 160
REPEATS = 3
WARM_UP = 4
"""Measurements per worker before the clock starts: they import LAMMPS and find the elements."""


def scaling_figures(n: int = N_LABELS, repeats: int = REPEATS) -> dict[str, Any]:
    """Return labels per second with one worker and with two, in turn, medians of some repeats.

    Every run measures the same random ternary 54-atom cells, half fcc and half bcc. Time runs
    from the first submission to the last answer, all that a campaign does to a measurement
    included but for the ledger: packing, Dask, the worker's process, the durable spool.
    """
    rng = np.random.default_rng(0)
    structures = [random_alloy(rng) for _ in range(n)]
    runs = [[_run(structures, workers) for workers in (1, 2)] for _ in range(repeats)]
    one, two = (float(np.median([run[k][0] for run in runs])) for k in (0, 1))
    in_oracle = float(np.median([run[0][1] for run in runs]))
    began = [run[0][2] for run in runs]
    return {
        "labels_per_second_1_worker": one,
        "labels_per_second_2_workers": two,
        "scaling_1_to_2_workers": two / one,
        "pool_overhead_seconds_per_label": 1 / one - in_oracle,
        "starting_a_worker_seconds": float(np.median(began)),
    }


def _run(structures: list[Structure], workers: int) -> tuple[float, float, float]:
    """Return labels per second, seconds in the oracle per label, and seconds to the first one."""
    oracle = LammpsOracle(LammpsOptions(potential=POTENTIAL))
    questions = [canonical_json(material_to_json(structure)) for structure in structures]
    with (
        tempfile.TemporaryDirectory() as folder,
        _pool(oracle, spool := Spool.temporary(Path(folder)), workers) as pool,
    ):
        began = time.perf_counter()
        pool.submit("first", 0, questions[0]).result()
        starting = time.perf_counter() - began
        warming = [
            pool.submit(f"warm{i}", 0, questions[i % len(questions)])
            for i in range(WARM_UP * workers)
        ]
        _ = [future.result() for future in warming]
        began = time.perf_counter()
        futures = [pool.submit(f"e{i}", 0, question) for i, question in enumerate(questions)]
        found: list[Measurement] = []
        for i, future in enumerate(futures):
            found.append(future.result())
            spool.forget(f"e{i}")
        seconds = time.perf_counter() - began
    if failed := [m.failure for m in found if m.status is Status.FAILED]:
        raise RuntimeError(f"{len(failed)} measurements failed, the first: {failed[0]}")
    in_oracle = sum(m.cost.wall_seconds for m in found) / len(found)
    return len(found) / seconds, in_oracle, starting


def _pool(oracle: LammpsOracle, spool: Spool, workers: int) -> MeasuringPool:
    return MeasuringPool([oracle], [120.0], LocalExecution(workers=workers), spool)


if __name__ == "__main__":
    print(json.dumps(scaling_figures(), indent=1))
