"""Exchanges of atoms: another ordering of the same composition on the same sites."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # oracles' results name exchanges, and are read without pymatgen
    from pymatgen.core import Structure

Exchange = tuple[int, int]
"""Two sites whose elements change places."""

Species = TypeVar("Species")


def exchanged(species: Sequence[Species], exchange: Exchange) -> tuple[Species, ...]:
    """Return the species with those on two sites exchanged."""
    found = list(species)
    i, j = exchange
    found[i], found[j] = species[j], species[i]
    return tuple(found)


def exchanged_structure(structure: "Structure", exchange: Exchange) -> "Structure":
    """Return an ordered structure with the atoms on two of its sites exchanged."""
    from pymatgen.core import Structure  # noqa: PLC0415

    # A new structure, because a copy's sites keep the labels of the elements they had.
    species = exchanged([site.specie for site in structure], exchange)
    return Structure(structure.lattice, species, structure.frac_coords)


def unlike_pairs(species: Sequence[Species]) -> list[Exchange]:
    """Return the pairs of sites (i < j) that hold different species, in order."""
    n = len(species)
    return [(i, j) for i in range(n) for j in range(i + 1, n) if species[i] != species[j]]
