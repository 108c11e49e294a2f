"""Which decoded crystals count as correct: AlloGen's rules (section 4.3), each with its reason."""

from dataclasses import dataclass

MAX_RELAXATION_ENERGY = 10.0
"""Largest energy above the relaxed one, eV for the whole cell: farther from rest than this, a
relaxation is not to be trusted."""


@dataclass(frozen=True)
class Energies:
    """Energies of a decoded crystal before and after relaxation, by one potential."""

    decoded: float
    """Energy of the cell as decoded, eV."""
    relaxed: float
    """Energy of the relaxed cell, eV."""
    n_atoms: int


def rejection_reason(energies: Energies, *, highest_per_atom: float) -> str | None:
    """Return why a decoded crystal is not correct, or None where it is.

    Args:
        energies: before and after relaxation.
        highest_per_atom: the highest relaxed energy in the training data, eV/atom.
    """
    per_atom = energies.relaxed / energies.n_atoms
    if per_atom > highest_per_atom:
        return (
            f"its relaxed energy of {per_atom:.4f} eV/atom is above the highest of the training "
            f"data, {highest_per_atom:.4f}"
        )
    above = energies.decoded - energies.relaxed
    if above > MAX_RELAXATION_ENERGY:
        return (
            f"relaxation lowers the energy by {above:.3g} eV, more than "
            f"{MAX_RELAXATION_ENERGY:g} eV: it is not close to its relaxed structure"
        )
    return None
