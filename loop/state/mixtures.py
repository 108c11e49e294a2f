"""The cheapest mixture of given phases at a composition: convex hulls by linear programming.

The convex hull at a composition is the lowest energy of any mixture of phases that has it, a linear
program with one row per element (Akbarzadeh, Ozolins & Wolverton, Adv. Mater. 19 (2007) 3233).
Only phases whose elements are all in the composition can take part, so what it costs follows from
the chemical system of the material, not from the number of elements of the campaign: facets of a
hull in many dimensions are never listed.

The program is solved by the primal simplex method: the pure elements are a mixture to begin
with, and the composition is moved by a trifle, so that no two phases are used up at once and the
pivots cannot go in a circle (Charnes, Econometrica 20 (1952) 160). A solution is a facet, which
answers for every other composition inside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alloop.errors import AlloopError

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

ON_THE_HULL = 1e-10
"""Tolerance of the hull, eV/atom: what lies less above a mixture is as good as the mixture."""

NO_SHARE = 1e-12
"""Share of atoms that is rounding."""

ROUNDING = 1e-13
"""Relative error of an energy computed from chemical potentials."""

MOVED = 1e-10
"""Relative change of a composition against ties; the hull moves by about as little in eV/atom."""

GOLDEN_RATIO = (1 + 5**0.5) / 2
"""Its multiples' fractional parts are spread evenly, so that no two elements move alike."""

MAX_PIVOTS = 10_000
"""Largest number of pivots; some tens are needed for thousands of phases of thirty elements."""


@dataclass(frozen=True)
class Facet:
    """Phases that coexist, as many as there are elements."""

    rows: Rows
    """Indices of the phases, shape (k,)."""
    inverse: Floats
    """Inverse of their element fractions, shape (k, k): from fractions to shares."""
    potentials: Floats
    """Chemical potentials of the elements, eV/atom, shape (k,)."""

    def shares(self, fractions: Floats) -> Floats:
        """Return the share of atoms in each of the phases, shape (..., k), for compositions of
        shape (..., k); one outside the facet has negative ones.
        """
        return fractions @ self.inverse


def facet_below(fractions: Floats, energies: Floats, target: Floats) -> Facet:
    """Return the facet of the hull that a composition lies on.

    Args:
        fractions: of the elements in each phase, shape (n, k); the first k are the pure elements.
        energies: of the phases, eV/atom, shape (n,).
        target: element fractions, all above 0, shape (k,).

    Raises:
        AlloopError: if no facet is found, which energies beyond all physics may cause.
    """
    rows = np.arange(len(target))
    moved = target * (1.0 + MOVED * np.modf(GOLDEN_RATIO * (rows + 1))[0])
    for _ in range(MAX_PIVOTS if np.isfinite(energies).all() else 0):
        inverse: Floats = np.linalg.inv(fractions[rows]).astype(np.float64)
        potentials = inverse @ energies[rows]
        below = energies - fractions @ potentials
        below[rows] = 0.0
        entering = int(below.argmin())
        if below[entering] >= -max(ON_THE_HULL, ROUNDING * float(np.abs(potentials).max())):
            return Facet(rows, inverse, potentials)
        replaced = fractions[entering] @ inverse
        shrinking = np.flatnonzero(replaced > NO_SHARE)
        # What is used up first when the new phase comes in has to go.
        steps = (moved @ inverse)[shrinking] / replaced[shrinking]
        rows = rows.copy()
        rows[shrinking[steps.argmin()]] = entering
    raise AlloopError(
        f"no convex hull was found among {len(energies)} phases of {len(target)} elements",
        remedy="Look for formation energies that are none: `alloop audit RUN`.",
    )


def energies_above(fractions: Floats, energies: Floats) -> Floats:
    """Return the energy of each phase above the hull of all, eV/atom, shape (n,); 0 on it.

    Chemical systems are gone through from the small ones up: what is not stable among fewer
    elements is not stable among more, and need not be looked at again.

    Args:
        fractions: of the elements in each phase, shape (n, k); the first k are the pure elements.
        energies: of the phases, eV/atom, shape (n,).
    """
    above = np.zeros(len(energies))
    is_stable = np.zeros(len(energies), dtype=bool)
    n_elements = fractions.shape[1]
    lowest = _lowest_elements(fractions, energies)
    is_stable[lowest] = True
    present = fractions > 0
    for elements, members in _systems(present):
        if len(elements) == 1:
            above[members] = energies[members] - energies[lowest[elements[0]]]
            continue
        outside = np.setdiff1d(np.arange(n_elements), elements, assume_unique=True)
        known = np.flatnonzero(is_stable & ~present[:, outside].any(axis=1))
        mixed = known[present[known].sum(axis=1) > 1]
        own = fractions[np.ix_(members, elements)]
        promising = members[energies[members] < own @ energies[lowest[elements]]]
        parts = np.concatenate([lowest[elements], mixed, promising])
        within = fractions[np.ix_(parts, elements)]
        above[members] = energies[members] - _lowest(within, energies[parts], own)
        is_stable[promising] = above[promising] <= ON_THE_HULL
    above[above <= ON_THE_HULL] = 0.0
    return above


def _lowest(fractions: Floats, energies: Floats, targets: Floats) -> Floats:
    """Return the hull's energy at compositions of one chemical system, eV/atom, shape (n,)."""
    found = np.full(len(targets), np.nan)
    while (missing := np.flatnonzero(np.isnan(found))).size:
        facet = facet_below(fractions, energies, targets[missing[0]])
        smallest = facet.shares(targets[missing]).min(axis=1)
        smallest[0] = 0.0  # the one that the facet was made for
        inside = missing[smallest >= -NO_SHARE]
        found[inside] = targets[inside] @ facet.potentials
    return found


def _lowest_elements(fractions: Floats, energies: Floats) -> Rows:
    """Return the number of the lowest phase of each pure element, the first of equal ones."""
    is_pure = (fractions > 0).sum(axis=1) == 1
    found = []
    for element in range(fractions.shape[1]):
        rows = np.flatnonzero(is_pure & (fractions[:, element] > 0))
        found.append(rows[energies[rows].argmin()])
    return np.array(found)


def _systems(present: NDArray[np.bool_]) -> Iterator[tuple[Rows, Rows]]:
    """Yield each chemical system that occurs, its elements and its phases, small ones first."""
    groups: dict[bytes, list[int]] = {}
    for row, key in enumerate(present):
        groups.setdefault(key.tobytes(), []).append(row)
    found = [(np.flatnonzero(present[rows[0]]), np.array(rows)) for rows in groups.values()]
    yield from sorted(found, key=lambda system: len(system[0]))
