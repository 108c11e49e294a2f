"""All orderings of a composition that no symmetry makes of one another."""

import itertools
from collections.abc import Iterator

import numpy as np
from pymatgen.core import Structure

from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.parent import IntArray

MOST = 200_000
"""Number of decorations up to which they are all gone through."""


def inequivalent_orderings(space: DecorationSpace) -> list[Structure]:
    """Return one structure of each set of equivalent decorations of the first parent.

    Args:
        space: whose bounds fix the composition of every sublattice.

    Raises:
        ValueError: if there are more than ``MOST`` decorations, or compositions are not fixed.
    """
    parent, known, found = space.parents[0], set[bytes](), list[Structure]()
    for n, code in enumerate(_decorations(space)):
        if n >= MOST:
            raise ValueError(f"more than {MOST} decorations")
        species = [space.species[each] for each in code]
        form = parent.canonical(species)
        if form not in known:
            known.add(form)
            found.append(parent.structure(species))
    return found


def _decorations(space: DecorationSpace) -> Iterator[IntArray]:
    parts = []
    for one in space.sublattices:
        if any(low != high for low, high in one.bounds):
            raise ValueError("fix the fractions of every species to enumerate orderings")
        counts = [low for low, _ in one.bounds]
        parts.append(list(_orderings(one.species, counts)))
    for chosen in itertools.product(*parts):
        yield np.concatenate(chosen)


def _orderings(species: tuple[int, ...], counts: list[int]) -> Iterator[IntArray]:
    """Yield all ways to put so many of each species on as many sites."""
    n_sites = sum(counts)
    first, *rest = counts
    for sites in itertools.combinations(range(n_sites), first):
        code = np.full(n_sites, species[0])
        others = np.setdiff1d(np.arange(n_sites), sites)
        if not rest:
            yield code
            continue
        for inner in _orderings(species[1:], rest):
            code[others] = inner
            yield code.copy()
