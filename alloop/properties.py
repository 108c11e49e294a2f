"""Properties of materials that Alloop knows, each with its unit.

The one table of units. It stands on the floor because oracles name the units of what they measure,
and oracles do not import campaigns.
"""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

FORMATION_ENERGY = "formation_energy_per_atom"
ENERGY_ABOVE_HULL = "energy_above_hull"
PARENT_LATTICE_KEPT = "parent_lattice_kept"

ELASTIC_CONSTANTS = tuple(f"c{i}{j}" for i in range(1, 7) for j in range(i, 7))
"""Elastic constants in Voigt's notation, row by row of the upper triangle."""
OF_ELASTIC_TENSOR = (
    *ELASTIC_CONSTANTS,
    "shear_modulus",
    "shear_modulus_voigt",
    "shear_modulus_reuss",
    "bulk_modulus_hill",
    "bulk_modulus_reuss",
    "youngs_modulus",
    "poisson_ratio",
    "born_stability",
)
"""Properties that an elastic tensor gives."""
OF_RELAXED_CELL = (
    "bulk_modulus",
    "energy_per_atom",
    "formation_energy_per_atom",
    "volume_per_atom",
    "density",
)
"""Properties that a relaxed cell gives, with those strained in all directions alike."""

UNITS = MappingProxyType(
    {
        "bulk_modulus": "GPa",
        "bulk_modulus_hill": "GPa",
        "bulk_modulus_reuss": "GPa",
        "shear_modulus": "GPa",
        "shear_modulus_voigt": "GPa",
        "shear_modulus_reuss": "GPa",
        "youngs_modulus": "GPa",
        "poisson_ratio": "–",
        "born_stability": "GPa",
        **dict.fromkeys(ELASTIC_CONSTANTS, "GPa"),
        "energy_per_atom": "eV/atom",
        "formation_energy_per_atom": "eV/atom",
        "energy_above_hull": "eV/atom",
        "energy_above_competing_phase": "eV/atom",
        "surface_energy": "J/m²",
        "surface_energy_100": "J/m²",
        "surface_energy_110": "J/m²",
        "surface_energy_111": "J/m²",
        "stacking_fault_energy": "mJ/m²",
        "volume_per_atom": "Å³/atom",
        "volume_per_atom_at_temperature": "Å³/atom",
        "thermal_expansion": "10⁻⁶/K",
        "c11_at_temperature": "GPa",
        "c12_at_temperature": "GPa",
        "c44_at_temperature": "GPa",
        "bulk_modulus_at_temperature": "GPa",
        "shear_modulus_at_temperature": "GPa",
        "crystal_fraction": "–",
        "parent_lattice_kept": "–",
        "density": "g/cm³",
        "band_gap": "eV",
        "single_phase_probability": "–",
        "power_factor": "µW/(cm K²)",
    }
)
"""Unit of every property, by name."""

POSSIBLE_VALUES = MappingProxyType(
    {
        "poisson_ratio": (-1.0, 0.5),
        "energy_above_hull": (0.0, math.inf),
        "volume_per_atom": (0.0, math.inf),
        "volume_per_atom_at_temperature": (0.0, math.inf),
        "crystal_fraction": (0.0, 1.0),
        "parent_lattice_kept": (0.0, 1.0),
        "density": (0.0, math.inf),
        "band_gap": (0.0, math.inf),
        "single_phase_probability": (0.0, 1.0),
    }
)
"""Least and largest possible value of the properties that have one, in their units: by definition,
or (Poisson's ratio of a stable isotropic solid) by thermodynamics."""

DIMENSIONLESS = "–"
"""Unit of a property that is a pure number."""

UNDECLARED = ""
"""Unit of a property that an oracle passes on without knowing it: the spec declares it."""


def shown_unit(unit: str) -> str:
    """Return a unit as it stands behind a value: nothing for a pure number."""
    return "" if unit == DIMENSIONLESS else unit


def units_of(names: Iterable[str]) -> dict[str, str]:
    """Return the unit of each named property; ``UNDECLARED`` for one that the table lacks."""
    return {name: UNITS.get(name, UNDECLARED) for name in names}


def joined_notes(notes: Mapping[str, str], names: Iterable[str] | None = None) -> str:
    """Return the notes on properties in one line, each note once; empty where there are none.

    Args:
        notes: by property name.
        names: of the properties that matter; all by default.
    """
    wanted = notes.keys() if names is None else notes.keys() & set(names)
    by_note: dict[str, list[str]] = {}
    for name, note in notes.items():
        if name in wanted:
            by_note.setdefault(note, []).append(name)
    return "; ".join(f"{', '.join(each)}: {note}" for note, each in by_note.items())
