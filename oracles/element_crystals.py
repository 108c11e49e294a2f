"""Crystals of the pure elements, which formation energies refer to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ase.data import atomic_numbers, reference_states

from alloop.properties import ENERGY_ABOVE_HULL, FORMATION_ENERGY

if TYPE_CHECKING:
    from pymatgen.core import Structure

# What ASE builds crystals with imports much of scipy, and is wanted for the elements alone: each
# function below that needs it imports it when it is called.

SIMPLE_STRUCTURES = frozenset({"fcc", "bcc", "hcp", "diamond", "rhombohedral", "bct"})
"""Structures of pure elements that ASE can build from its table alone."""


def has_simple_crystal(symbol: str) -> bool:
    """Return whether an element has one of ``SIMPLE_STRUCTURES`` in nature (ASE's table)."""
    state = reference_states[atomic_numbers[symbol]] or {}
    # Where the table has an empty "basis", the name stands for the lattice only (selenium).
    return state.get("symmetry") in SIMPLE_STRUCTURES and state.get("basis", ()) is not None


def element_crystal(symbol: str) -> "Structure | None":
    """Return an element's crystal at room temperature (ASE's table, mostly Ashcroft and Mermin):
    fcc for nickel, copper and aluminium, bcc for iron, chromium and vanadium, hcp for cobalt,
    titanium and magnesium, rhombohedral for arsenic; None where the table has no simple crystal, as
    for manganese.

    It is the crystal that formation energies of the literature refer to, and the same at every
    level of theory. No search is made for the one that a level itself prefers: where that is
    another, some formation energies are too low by the difference. Its cell is to be relaxed.

    Chromium comes in its cubic cell of two atoms, which has room for antiferromagnetism.
    """
    if not has_simple_crystal(symbol):
        return None
    from ase.build import bulk  # noqa: PLC0415
    from pymatgen.io.ase import AseAtomsAdaptor  # noqa: PLC0415

    return AseAtomsAdaptor.get_structure(bulk(symbol, cubic=symbol == "Cr"))


def without_formation_energies(elements: Sequence[str]) -> dict[str, str]:
    """Return, for ``OracleOptions.unmeasured``, why there are no energies against the elements of
    materials that hold some of these; nothing where all have a simple crystal."""
    without = [symbol for symbol in elements if not has_simple_crystal(symbol)]
    if not without:
        return {}
    why = f"no simple crystal is known of {', '.join(without)} to refer to"
    return {FORMATION_ENERGY: why, ENERGY_ABOVE_HULL: why}


def natural_volume(symbol: str) -> float:
    """Return the volume of an element with a simple crystal, Å³/atom (ASE's table)."""
    from ase.build import bulk  # noqa: PLC0415

    crystal = bulk(symbol)
    return float(crystal.get_volume()) / len(crystal)
