"""Common-neighbour analysis: how the neighbours of an atom are neighbours of each other.

After Honeycutt and Andersen (J. Phys. Chem. 91 (1987) 4950): every bond is described by how many
neighbours its ends share, by the bonds among these, and here by how many of those bonds meet in
one atom, which tells hcp's 422 from fcc's 421. In fcc all twelve bonds are 421.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pymatgen.core import Structure

from alloop.oracles.lammps.simulation.cell import Array

Bond = tuple[int, int, int]
"""Bond type: shared neighbours, bonds among them, most of these bonds at one atom."""
Neighbourhood = frozenset[tuple[Bond, int]]
"""Numbers of bonds of each type that an atom has."""

_SEARCH_RADIUS = 2.2
"""Search radius in cube roots of the volume per atom; the third neighbours of fcc and bcc are
nearer."""


def bond_length(structure: Structure) -> float:
    """Return the largest bond length in Å, between the nearest shells of neighbours and the next.

    It is in the widest gap, by ratio, of the distances of a crystal: beyond 12 neighbours in fcc
    and hcp, 14 in bcc, 4 in diamond.
    """
    reach = _SEARCH_RADIUS * float(np.cbrt(structure.volume / len(structure)))
    distances = np.sort(structure.get_neighbor_list(reach)[3])
    widest = int(np.argmax(distances[1:] / distances[:-1]))
    return float(np.sqrt(distances[widest] * distances[widest + 1]))


def neighbourhoods(structure: Structure, length: float) -> list[Neighbourhood]:
    """Return the neighbourhood of every site, with bonds up to a length in Å."""
    centres, neighbours, images, _ = structure.get_neighbor_list(length)
    coords = structure.cart_coords
    steps = coords[neighbours] + images @ structure.lattice.matrix - coords[centres]
    return [_neighbourhood(steps[centres == i], length) for i in range(len(structure))]


def share_unchanged(before: Sequence[Neighbourhood], after: Sequence[Neighbourhood]) -> float:
    """Return the share of atoms whose neighbourhood is what it was."""
    return float(np.mean([one == other for one, other in zip(before, after, strict=True)]))


def _neighbourhood(steps: Array, length: float) -> Neighbourhood:
    apart = np.linalg.norm(steps[:, None] - steps, axis=-1)
    bonded = (apart < length) & (apart > 0)
    bonds: Counter[Bond] = Counter()
    for shared in bonded:
        among = bonded[np.ix_(shared, shared)]
        meeting = among.sum(axis=0)
        bonds[int(shared.sum()), int(meeting.sum()) // 2, int(meeting.max(initial=0))] += 1
    return frozenset(bonds.items())
