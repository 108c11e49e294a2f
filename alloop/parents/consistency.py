"""Whether a layout that was read from a file, such as a model's, is one that could be built."""

import math
from collections.abc import Iterator

from alloop.parents.layout import FIXED, Layout, OpenSublattice, Supercell
from alloop.parents.species import checked_species

MOST_SITES = 2048
"""Most sites of a supercell that is read: its symmetries take memory by the square of them."""


def layout_problem(layout: Layout) -> str | None:
    """Return what contradicts itself in a layout, in words; None where nothing does."""
    return next(_problems(layout), None)


def _problems(layout: Layout) -> Iterator[str]:
    if not layout.supercells or not layout.sublattices:
        yield "there is no supercell, or nothing in it is open"
        return
    for sublattice in layout.sublattices:
        yield from _sublattice_problems(sublattice)
    for supercell in layout.supercells:
        yield from _supercell_problems(supercell, layout.sublattices)


def _sublattice_problems(one: OpenSublattice) -> Iterator[str]:
    if not one.species or len(one.count_bounds) != len(one.species):
        yield f"sublattice {one.name} has {len(one.species)} species and other count bounds"
        return
    for species in one.species:
        try:
            checked_species(species)
        except ValueError as error:
            yield str(error)
    if any(low < 0 or high > one.n_sites for low, high in one.count_bounds):
        yield f"count bounds of sublattice {one.name} outside its {one.n_sites} sites"
    if (problem := one.problem()) is not None:
        yield problem


def _supercell_problems(
    supercell: Supercell, sublattices: tuple[OpenSublattice, ...]
) -> Iterator[str]:
    cell, groups = supercell.cell, supercell.groups
    name = f"the supercell of {cell.name}"
    n = len(cell.labels)
    if not n or {len(cell.coords), len(groups), len(supercell.fixed)} != {n}:
        yield f"{name} has lists of different lengths for its sites"
        return
    if cell.elements and len(cell.elements) != n:
        yield f"{name} names {len(cell.elements)} elements for {n} sites"
    numbers = (*(x for row in (*cell.vectors, *cell.coords) for x in row),)
    if not all(map(math.isfinite, numbers)) or not cell.volume > 0:
        yield f"{name} has no volume, or numbers that are not finite"
    if min(supercell.repeats) < 1 or supercell.n_sites > MOST_SITES:
        yield f"{name} has {supercell.n_sites} sites; there may be 1 to {MOST_SITES}"
        return
    if not all(FIXED <= group < len(sublattices) for group in groups):
        yield f"{name} has sites on a sublattice that there is not"
        return
    for group, sublattice in enumerate(sublattices):
        if supercell.n_open(group) != sublattice.n_sites:
            yield (
                f"{name} has {supercell.n_open(group)} sites of sublattice {sublattice.name}, "
                f"not {sublattice.n_sites}"
            )
