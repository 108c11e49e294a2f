"""Self-test of the DFT oracle: one element's energy, bulk modulus and pressure."""

from collections.abc import Iterable

from alloop.oracles.base import FailureKind
from alloop.oracles.dft.calculation import MAX_RESIDUAL_PRESSURE
from alloop.oracles.dft.crystal import SortedStructure
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.procedure import MeasurementLog, Procedure
from alloop.oracles.dft.references import reference_crystal
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.strain_checks import CheckedProperties

GPA_PER_EV_PER_CUBIC_ANGSTROM = 160.2176634
"""Gigapascals per eV/Å³ (CODATA 2018)."""
DEFAULT_ELEMENT = "Ni"
"""Element that is calculated where none was asked for."""


def dft_self_test(
    procedure: Procedure, options: DftOptions, elements: Iterable[str], log: MeasurementLog
) -> tuple[CheckedProperties, dict[str, object]]:
    """Return the properties of the first element that has a simple crystal, and what was done.

    The energy's slope over both strained cells is compared with Simpson's mean of the pressures;
    what a plane-wave basis of fixed cutoff leaves between them, Pulay's pressure, is allowed for.

    Raises:
        MeasurementFailed: if it is no solid, or its stress is not the slope of its energy.
        FlowFailed: if a job raised.
    """
    element, start = _first_crystal([*elements, DEFAULT_ELEMENT])
    if options.protocol == "static":
        cell = procedure.single_point(start.structure, log)
        return CheckedProperties({"energy_per_atom": cell.energy_per_atom}), _said(element, log)
    cell = procedure.relax(start.structure, log, is_shared=True)
    properties = CheckedProperties({"energy_per_atom": cell.energy_per_atom})
    if not options.strain:
        return properties, _said(element, log)
    properties |= procedure.bulk_modulus(cell, log)
    cells = procedure.strained_cells(cell, options.strain, log)
    small, large = cells[-options.strain], cells[options.strain]
    mean = (small.pressure + 4 * cell.pressure + large.pressure) / 6
    slope = (large.energy - small.energy) / (large.volume - small.volume)
    error = abs(mean + slope * GPA_PER_EV_PER_CUBIC_ANGSTROM)
    if error > MAX_RESIDUAL_PRESSURE:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"the pressure of {element} is {error:.3g} GPa off the slope of its energy",
        )
    return properties | {"pressure_error": error}, _said(element, log)


def _first_crystal(elements: list[str]) -> tuple[str, SortedStructure]:
    for element in elements[:-1]:
        try:
            return element, SortedStructure.of(reference_crystal(element))
        except MeasurementFailed:
            continue  # manganese, say: another element tests the level as well
    return elements[-1], SortedStructure.of(reference_crystal(elements[-1]))


def _said(element: str, log: MeasurementLog) -> dict[str, object]:
    n_flows = max(1, len(log.flows))
    return {"element": element, "seconds_per_call": log.seconds / n_flows}
