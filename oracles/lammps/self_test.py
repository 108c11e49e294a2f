"""Self-test of the LAMMPS oracle: one element's energy, bulk modulus and pressure."""

from collections.abc import Iterable
from time import perf_counter

import numpy as np

from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.procedures.elasticity import bulk_modulus
from alloop.oracles.lammps.procedures.references import reference_crystal
from alloop.oracles.lammps.simulation.cell import Array
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal
from alloop.oracles.lammps.simulation.runtime import lammps_version
from alloop.oracles.lammps.simulation.session import (
    GPA_PER_EV_PER_CUBIC_ANGSTROM,
    LammpsSession,
)
from alloop.oracles.lammps.simulator import Simulator, Summary
from alloop.oracles.self_test import identity

TESTED_STRAINS = (-0.02, -0.01, 0.005, 0.01, 0.02)
"""Strains of every length at which the pressure is compared with the energy's slope. The median
counts: at one of them a neighbour may cross a cutoff at which the energy jumps."""
DIFFERENCE_STEP = 1e-4
"""Step of the finite differences, as a strain of every length."""
MAX_PRESSURE_ERROR = 0.01
"""Largest median of the pressure's errors, as a share of the bulk modulus times the volume strain
of 3 %."""


def self_test(simulator: Simulator, elements: Iterable[str]) -> tuple[Summary, dict[str, object]]:
    """Return properties and crystal of the first of the elements that has a reference crystal, and
    the document of a self-test.

    Raises:
        MeasurementFailed: if it does not relax, has no bulk modulus that can be relied on, or its
            pressure is not the slope of its energy.
    """
    session, potential = simulator.session(), simulator.potential
    found = ((each, reference_crystal(session, each)) for each in elements)
    element, start = next(((each, crystal) for each, crystal in found if crystal), ("", None))
    if start is None:
        # No element of the potential has a simple crystal, such as those of molecules.
        raise MeasurementFailed(FailureKind.UNSUPPORTED, "no element has a reference crystal")
    cell, crystal = simulator.relax(start)
    properties = bulk_modulus(session, crystal, simulator.options)
    if reason := properties.doubts.get("bulk_modulus"):
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL, f"the bulk modulus of {element} is {reason}"
        )
    modulus = properties.values["bulk_modulus"]
    began = perf_counter()
    errors = [_pressure_error(session, crystal, strain) for strain in TESTED_STRAINS]
    seconds = (perf_counter() - began) / (3 * len(TESTED_STRAINS))
    error = float(np.median(errors))
    if not (modulus > 0 and error <= MAX_PRESSURE_ERROR * 0.03 * modulus):
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"the pressure of {element} is {error:.3g} GPa off the slope of its energy, its bulk "
            f"modulus {modulus:.4g} GPa",
        )
    n = len(cell.structure)
    properties |= {"energy_per_atom": crystal.evaluation.energy / n, "pressure_error": error}
    document = identity(element, seconds, _parts(potential))
    return (properties, crystal.structure(cell)), document


def _parts(potential: Potential) -> dict[str, str]:
    files = {file.path.name: file.checksum for file in potential.files}
    return {"potential": potential.name, "lammps": str(lammps_version()), **files}


def _pressure_error(session: LammpsSession, crystal: RelaxedCrystal, strain: float) -> float:
    """Return the difference of the pressure from minus the energy's slope by the volume, GPa."""

    def at(strain: float) -> tuple[float, float, float]:
        box: Array = crystal.box * (1 + strain)
        found = session.evaluate(box, crystal.positions * (1 + strain))
        return found.energy, float(np.linalg.det(box)), float(np.trace(found.pressure)) / 3

    (low, small, _), (_, _, pressure), (high, large, _) = (
        at(strain + step) for step in (-DIFFERENCE_STEP, 0.0, DIFFERENCE_STEP)
    )
    return abs(pressure + (high - low) / (large - small) * GPA_PER_EV_PER_CUBIC_ANGSTROM)
