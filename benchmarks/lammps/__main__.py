"""The LAMMPS oracle side by side with the published procedure: `make bench-lammps`."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.oracles.base import Status
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.potentials.catalogue import find_potential
from alloop.oracles.lammps.simulation.session import GPA_PER_EV_PER_CUBIC_ANGSTROM, LammpsSession
from benchmarks.lammps.published import bulk_modulus, published_tensor
from benchmarks.lammps.references import (
    BODY,
    CHROMIUM_NEAR_0_K,
    CRYSTALS,
    DEFECTS,
    FACES,
    POTENTIAL,
    ROSE,
    Crystal,
)
from benchmarks.lammps.search import (
    campaign_search_figures,
    local_search_figures,
    ni18cr18fe18,
)
from benchmarks.lammps.workers import scaling_figures
from benchmarks.loop.labels import random_alloy
from benchmarks.recording import record

N_STRUCTURES = 20
CUBIC = ("c11", "c12", "c44")
FAULTS = ("surface_energy_100", "surface_energy_110", "surface_energy_111", "stacking_fault_energy")


def main() -> None:
    """Measure everything and write results/lammps.json."""
    figures: dict[str, Any] = {"load_average_at_start": os.getloadavg()[0]}
    figures |= against_the_published_procedure()
    figures |= scaling_figures()
    figures |= local_search_figures()
    figures |= campaign_search_figures()
    figures["local_search_speedup_over_campaign_from_scratch"] = (
        figures["campaign_search_seconds_from_scratch"] / figures["local_search_seconds"]
    )
    figures |= elastic_figures()
    figures |= defect_figures()
    figures["frame_max_relative_difference"] = frame_max_relative_difference()
    figures["load_average_at_end"] = os.getloadavg()[0]
    print(record("lammps", figures, command="make bench-lammps"))


def against_the_published_procedure(n: int = N_STRUCTURES) -> dict[str, Any]:
    """Return speeds against one LAMMPS process per structure, on one core.

    The structures are random ternary fcc cells. Bcc cells are left out: some leave their lattice
    when they relax, and where there are several minima the two ways may find different ones.
    """
    rng = np.random.default_rng(0)
    structures = [s for s in (random_alloy(rng) for _ in range(6 * n)) if _is_fcc(s)][:n]
    oracle = LammpsOracle(LammpsOptions(potential=POTENTIAL))
    published, seconds = _timed(lambda s: published_tensor(s, oracle.potential), structures)
    began = time.perf_counter()
    oracle.simulator.session()
    starting = time.perf_counter() - began
    with _Watch() as watch:
        found, ours = _timed(lambda s: _ok(oracle, s), structures)
    oracle.close()
    full = LammpsOracle(LammpsOptions(potential=POTENTIAL, properties=("c11",)))
    _, tensors = _timed(lambda s: _ok(full, s), structures)
    full.close()
    apart = [
        abs(bulk_modulus(constants) - properties["bulk_modulus"])
        for constants, properties in zip(published, found, strict=True)
    ]
    return {
        "speedup_bulk_modulus": seconds / (ours + starting),
        "speedup_elastic_tensor": seconds / tensors,
        "max_bulk_modulus_difference_gpa": max(apart),
        "structures": n,
        "published_seconds_per_structure": seconds / n,
        "bulk_modulus_seconds_per_structure": ours / n,
        "elastic_tensor_seconds_per_structure": tensors / n,
        "starting_lammps_seconds": starting,
        "force_evaluations_per_bulk_modulus": watch.evaluations / n,
        "milliseconds_per_force_evaluation": 1000 * watch.seconds / watch.evaluations,
        "share_of_time_in_force_evaluations": watch.seconds / ours,
        "share_of_time_in_python": 1 - watch.seconds / ours,
    }


def elastic_figures() -> dict[str, float]:
    """Return deviations of C11, C12 and C44 from published values, and of the bulk moduli from
    what the potential's published parameters make them.
    """
    figures, errors = dict[str, float](), dict[str, float]()
    for name, crystal in CRYSTALS.items():
        found = _constants(crystal.potential, _cube(crystal))
        figures |= {f"{c}_{name}_gpa": float(v) for c, v in zip(CUBIC, found, strict=True)}
        if crystal.constants is not None:
            errors[name] = _largest(found, crystal.constants)
        if name in ROSE:
            modulus = float(found[0] + 2 * found[1]) / 3
            figures[f"bulk_modulus_relative_error_{name}"] = abs(modulus / _rose(name) - 1)
    chromium = _cube(CRYSTALS["cr"]) * (2, 2, 2)
    ours = _constants(POTENTIAL, chromium)
    theirs = published_tensor(chromium, find_potential(POTENTIAL))[[0, 0, 3], [0, 1, 3]]
    return {
        "elastic_max_relative_error": max(errors.values()),
        "elastic_max_relative_error_confirmed_sources": max(
            error for name, error in errors.items() if CRYSTALS[name].is_confirmed
        ),
        **{f"elastic_relative_error_{name}": error for name, error in errors.items()},
        **figures,
        "cr_max_relative_difference_from_in_elastic": _largest(ours, theirs),
        "cr_max_relative_difference_from_experiment_near_0_k": _largest(ours, CHROMIUM_NEAR_0_K),
    }


def defect_figures() -> dict[str, float]:
    """Return surface and stacking-fault energies of Ni and Cu and their deviations."""
    figures: dict[str, float] = {}
    for name, published in DEFECTS.items():
        crystal = CRYSTALS[name]
        asked = LammpsOptions(
            potential=crystal.potential, properties=("surface_energy", "stacking_fault_energy")
        )
        oracle = LammpsOracle(asked)
        properties = _ok(oracle, _cube(crystal))
        oracle.close()
        found = np.array([properties[fault] for fault in FAULTS])
        figures |= {f"{fault}_{name}": properties[fault] for fault in FAULTS}
        figures[f"defects_max_relative_difference_{name}"] = _largest(found, published)
    return figures


def frame_max_relative_difference() -> float:
    """Return the differences of C11, C12 and C44 of fcc cells along ⟨110⟩ and ⟨100⟩."""
    alloy = ni18cr18fe18(1)
    nickel = Structure(Lattice.cubic(3.52), ["Ni"] * 4, FACES)
    turned = Structure(Lattice.tetragonal(3.52 / np.sqrt(2), 3.52), ["Ni"] * 2, BODY) * (3, 3, 3)
    pairs = [(alloy, alloy * [[1, 1, 0], [-1, 1, 0], [0, 0, 1]]), (turned, nickel)]
    return max(
        float(np.max(np.abs(_constants(POTENTIAL, b) / _constants(POTENTIAL, a) - 1)))
        for a, b in pairs
    )


class _Watch:
    """Counts and times force evaluations while it is open."""

    def __enter__(self) -> "_Watch":
        self.evaluations, self.seconds = 0, 0.0
        self._evaluate = evaluate = LammpsSession.evaluate

        def watched(session: LammpsSession, *arguments: Any) -> Any:
            began = time.perf_counter()
            found = evaluate(session, *arguments)
            self.seconds += time.perf_counter() - began
            self.evaluations += 1
            return found

        LammpsSession.evaluate = watched  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *error: object) -> None:
        LammpsSession.evaluate = self._evaluate  # type: ignore[method-assign]


def _timed(
    function: Callable[[Structure], Any], structures: Sequence[Structure]
) -> tuple[list[Any], float]:
    began = time.perf_counter()
    return [function(structure) for structure in structures], time.perf_counter() - began


def _ok(oracle: LammpsOracle, structure: Structure) -> Mapping[str, float]:
    found = oracle.measure(structure)
    if found.status is Status.FAILED:
        raise RuntimeError(f"{structure.formula}: {found.failure}")
    return found.properties


def _constants(potential: str, structure: Structure) -> np.ndarray:
    oracle = LammpsOracle(LammpsOptions(potential=potential, properties=("c11",)))
    properties = _ok(oracle, structure)
    oracle.close()
    return np.array([properties[name] for name in CUBIC])


def _cube(crystal: Crystal) -> Structure:
    species = [crystal.element] * len(crystal.sites)
    return Structure(Lattice.cubic(crystal.edge), species, crystal.sites)


def _rose(name: str) -> float:
    """Return an element's bulk modulus in GPa by Rose's equation of state."""
    energy, alpha, edge, atoms = ROSE[name]
    return energy * alpha**2 / (9 * edge**3 / atoms) * GPA_PER_EV_PER_CUBIC_ANGSTROM


def _largest(found: Any, published: Any) -> float:
    return float(np.max(np.abs(np.asarray(found) / np.asarray(published) - 1)))


def _is_fcc(structure: Structure) -> bool:
    a, _, c = structure.lattice.abc
    return bool(c / a > 1.2)


if __name__ == "__main__":
    main()
