"""Properties that LAMMPS measures, and the simulation that gives each."""

from enum import StrEnum
from types import MappingProxyType

from alloop.properties import OF_ELASTIC_TENSOR, OF_RELAXED_CELL


class Simulation(StrEnum):
    """Simulations that follow the relaxation, if one of their properties is asked for."""

    STRAINS = "strains"
    """Energy, volume, density and bulk modulus: always measured."""
    ELASTIC_TENSOR = "elastic tensor"
    COMPETING_PHASE = "competing phase"
    SURFACES = "surfaces"
    STACKING_FAULT = "stacking fault"
    DYNAMICS = "molecular dynamics"
    HOT_ELASTICITY = "elastic constants at a temperature"


_ANSWERED_BY = {
    Simulation.STRAINS: OF_RELAXED_CELL,
    Simulation.ELASTIC_TENSOR: OF_ELASTIC_TENSOR,
    Simulation.COMPETING_PHASE: ("energy_above_competing_phase",),
    Simulation.SURFACES: (
        "surface_energy",
        "surface_energy_100",
        "surface_energy_110",
        "surface_energy_111",
    ),
    Simulation.STACKING_FAULT: ("stacking_fault_energy",),
    Simulation.DYNAMICS: (
        "volume_per_atom_at_temperature",
        "thermal_expansion",
        "crystal_fraction",
    ),
    Simulation.HOT_ELASTICITY: (
        "c11_at_temperature",
        "c12_at_temperature",
        "c44_at_temperature",
        "bulk_modulus_at_temperature",
        "shear_modulus_at_temperature",
    ),
}

AT_TEMPERATURE = frozenset({Simulation.DYNAMICS, Simulation.HOT_ELASTICITY})
"""Simulations that the options of molecular dynamics are for."""

SIMULATION = MappingProxyType(
    {name: simulation for simulation, names in _ANSWERED_BY.items() for name in names}
)
"""Simulation that gives each property, by the property's name."""
