"""Difference of two compositions."""

from pymatgen.core import Composition


def atoms_exchanged(one: Composition, other: Composition) -> float:
    """Return the share of atoms in which two alloys differ."""
    symbols = {el.symbol for el in (*one.elements, *other.elements)}
    gaps = (one.get_atomic_fraction(s) - other.get_atomic_fraction(s) for s in symbols)
    return sum(map(abs, gaps)) / 2
