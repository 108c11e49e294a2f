"""Properties that LAMMPS measures, and the simulation that gives each."""

from enum import StrEnum
from types import MappingProxyType


class Simulation(StrEnum):
    """Simulations that follow the relaxation, if one of their properties is asked for."""

    STRAINS = "strains"
    """Energy, volume, density and bulk modulus: always measured."""
    ELASTIC_TENSOR = "elastic tensor"
    COMPETING_PHASE = "competing phase"
    SURFACES = "surfaces"
    STACKING_FAULT = "stacking fault"
    DYNAMICS = "molecular dynamics"


_ANSWERED_BY = {
    Simulation.STRAINS: (
        "bulk_modulus",
        "energy_per_atom",
        "formation_energy_per_atom",
        "volume_per_atom",
        "density",
    ),
    Simulation.ELASTIC_TENSOR: (
        *(f"c{i}{j}" for i in range(1, 7) for j in range(i, 7)),
        "shear_modulus",
        "shear_modulus_voigt",
        "shear_modulus_reuss",
        "bulk_modulus_hill",
        "bulk_modulus_reuss",
        "youngs_modulus",
        "poisson_ratio",
        "born_stability",
    ),
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
}

SIMULATION = MappingProxyType(
    {name: simulation for simulation, names in _ANSWERED_BY.items() for name in names}
)
"""Simulation that gives each property, by the property's name."""
