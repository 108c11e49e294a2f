"""Self-test of the mlip oracle: one element's energy, bulk modulus and pressure."""

from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
from ase import Atoms, units
from pymatgen.core import Structure

from alloop.oracles.base import FailureKind
from alloop.oracles.element_crystals import element_crystal
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.mlip.moduli import StrainedCells, measure_bulk_modulus
from alloop.oracles.mlip.options import MlipOptions
from alloop.oracles.mlip.relaxation import pressure, relax_cell
from alloop.oracles.strain_checks import CheckedProperties

DEFAULT_ELEMENTS = ("Ni", "Al", "Si", "C")
"""Elements one of which is calculated where none that was asked for has a simple crystal."""
TESTED_STRAIN = 0.01
"""Strain of every length, both ways, over which the pressure is compared with the energy's
slope."""
MAX_PRESSURE_ERROR = 0.2
"""Largest error of the pressure, as a share of the bulk modulus times the volume strain of 3 %.
CHGNet's, whose energy is not quite smooth, is 0.01 for nickel and 0.08 for iron; a stress of the
wrong sign or unit is off by 1 and more."""


def mlip_self_test(
    make_atoms: Callable[[Structure], Atoms], elements: Sequence[str], options: MlipOptions
) -> tuple[CheckedProperties, str, float]:
    """Return properties of the first element that has a simple crystal, the element, and the
    seconds of one evaluation.

    The slope of the energy over both strained cells is compared with Simpson's mean of the
    pressures.

    Raises:
        MeasurementFailed: if it does not relax, or its pressure is not the slope of its energy.
    """
    found = ((each, element_crystal(each)) for each in (*elements, *DEFAULT_ELEMENTS))
    element, crystal = next((name, each) for name, each in found if each is not None)
    atoms = make_atoms(crystal)
    relax_cell(atoms, options)
    properties = CheckedProperties(
        {"energy_per_atom": float(atoms.get_potential_energy()) / len(atoms)}
    )
    if not options.strain:
        options = options.model_copy(update={"strain": TESTED_STRAIN})
    properties |= measure_bulk_modulus(atoms, options)
    cells = StrainedCells(atoms, np.eye(3), options)
    small, large = cells.at(-TESTED_STRAIN), cells.at(TESTED_STRAIN)
    began = perf_counter()
    middle = pressure(atoms)  # the calculator has had another cell since
    seconds = perf_counter() - began
    mean = (small.pressure + 4 * middle + large.pressure) / 6
    slope = (large.energy - small.energy) / (large.volume - small.volume) / units.GPa
    error = abs(mean + slope)
    modulus = properties.values["bulk_modulus"]
    if not error <= MAX_PRESSURE_ERROR * 3 * TESTED_STRAIN * modulus:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"the pressure of {element} is {error:.3g} GPa off the slope of its energy, its bulk "
            f"modulus {modulus:.4g} GPa",
        )
    return properties | {"pressure_error": error}, element, seconds
