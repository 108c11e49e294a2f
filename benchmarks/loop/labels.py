"""How right and how fast the LAMMPS oracle's bulk moduli are."""

import csv
import multiprocessing
import time
from collections import defaultdict
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.files.cif import read_cif
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle

OPTIONS = LammpsOptions(potential="NiFeCr-Wu2017")
EDGES = {"fcc": 3.58, "bcc": 2.87}
"""Edge of the cubic cell in Å where every random alloy starts, whatever its composition."""
CONNECT_TIMEOUT = 600.0
"""Seconds to wait for a worker."""


def bulk_modulus_mae_gpa(data: Path, limit: int | None = None) -> dict[str, float]:
    """Return mean absolute errors against the published labels of the AlloGen test set, in GPa.

    Only Ni–Cr and ternary rows (by the atoms in the CIF) were published with the ternary
    potential's right element order; the others cannot serve.

    Args:
        data: folder of the AlloGen data set.
        limit: rows to measure, if not all.

    Raises:
        RuntimeError: if a row cannot be measured.
    """
    oracle = LammpsOracle(OPTIONS)
    errors: dict[str, list[float]] = defaultdict(list)
    with (data / "test.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            structure = read_cif(row["cif"]).structure
            symbols = set(structure.symbol_set)
            if symbols != {"Ni", "Cr"} and len(symbols) != 3:
                continue
            found = oracle.measure(structure)
            if found.failure is not None:
                raise RuntimeError(f"{row['material_id']}: {found.failure}")
            system = "nicr" if len(symbols) == 2 else f"ternary_{row['sym']}"
            published = float(row["ealstic_vector"])
            errors[system].append(abs(found.properties["bulk_modulus"] - published))
            if sum(map(len, errors.values())) == limit:
                break
    oracle.close()
    every = [error for group in errors.values() for error in group]
    return {
        "bulk_modulus_mae_gpa": float(np.mean(every)),
        "bulk_modulus_rows": len(every),
        "bulk_modulus_median_error_gpa": float(np.median(every)),
        **{
            f"bulk_modulus_mae_{system}_gpa": float(np.mean(group))
            for system, group in sorted(errors.items())
        },
    }


def labels_per_second(workers: int, structures_per_worker: int = 60) -> float:
    """Return measurements per second of random ternary 54-atom cells by several processes.

    The cells are unrelaxed decorations, half fcc and half bcc, in a cell of the wrong size, as a
    campaign proposes them. Starting Python and LAMMPS is not counted; every failure would be.

    Raises:
        RuntimeError: if a measurement fails.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(workers + 1)
    failures: Queue[list[str]] = context.Queue()
    processes = [
        context.Process(target=_label, args=(seed, structures_per_worker, barrier, failures))
        for seed in range(workers)
    ]
    for process in processes:
        process.start()
    barrier.wait(CONNECT_TIMEOUT)
    began = time.perf_counter()
    failed = [message for _ in processes for message in failures.get(timeout=CONNECT_TIMEOUT)]
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    if failed:
        raise RuntimeError(f"{len(failed)} measurements failed, the first: {failed[0]}")
    return workers * structures_per_worker / seconds


def random_alloy(rng: np.random.Generator) -> Structure:
    """Return a random decoration of a 54-atom fcc or bcc cell with 10–60 at.% of each element."""
    while True:
        counts = rng.multinomial(54, [1 / 3] * 3)
        if counts.min() >= 6 and counts.max() <= 32:
            break
    lattice = str(rng.choice(["fcc", "bcc"]))
    edge = EDGES[lattice]
    width = edge / np.sqrt(2) if lattice == "fcc" else edge
    parent = Structure(
        Lattice.tetragonal(width, edge), ["Ni", "Ni"], [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]
    ) * (3, 3, 3)
    species = [str(symbol) for symbol in rng.permutation(np.repeat(["Ni", "Fe", "Cr"], counts))]
    return Structure(parent.lattice, species, parent.frac_coords)


def _label(seed: int, n: int, barrier: Barrier, failures: "Queue[list[str]]") -> None:
    rng = np.random.default_rng(seed)
    structures = [random_alloy(rng) for _ in range(n)]
    oracle = LammpsOracle(OPTIONS)
    oracle.measure(random_alloy(rng))
    barrier.wait(CONNECT_TIMEOUT)
    found = [oracle.measure(structure) for structure in structures]
    failures.put([m.failure.message for m in found if m.failure is not None])
    oracle.close()
