"""Which decoded crystals count as correct: AlloGen's rules (section 4.3), each with its reason."""

from dataclasses import dataclass

MOST_ABOVE_RELAXED = 10.0
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


def why_rejected(energies: Energies, *, highest_per_atom: float) -> str | None:
    """Return why a decoded crystal is not correct, or None where it is.

    Args:
        energies: before and after relaxation.
        highest_per_atom: the highest relaxed energy in the training data, eV/atom.
    """
    per_atom = energies.relaxed / energies.n_atoms
    if per_atom > highest_per_atom:
        return (
            f"at rest it has {per_atom:.4f} eV/atom, more than the {highest_per_atom:.4f} of every "
            "crystal in the training data"
        )
    above = energies.decoded - energies.relaxed
    if above > MOST_ABOVE_RELAXED:
        return (
            f"as decoded it lies {above:.3g} eV above rest, more than {MOST_ABOVE_RELAXED:g} eV: "
            "it is not close to what it relaxes to"
        )
    return None
