"""Neighbours of the open sites of a parent lattice, in a cell of one unit of volume per site."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Lattice, Structure

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]

LENGTH_TOLERANCE = 2e-3
"""Tolerance of equal lengths, in units of the cube root of the volume per site."""
FIRST_CUTOFF, CUTOFF_FACTOR = 2.0, 1.25
"""First cutoff radius that is tried, in the same unit, and the factor to the next."""


@dataclass(frozen=True)
class NeighbourList:
    """Pairs of sites nearer than a cutoff, sorted by site, neighbour and periodic image."""

    centres: IntArray
    others: IntArray
    vectors: FloatArray
    """From site to neighbour, shape (pairs, 3)."""
    lengths: FloatArray
    shells: IntArray
    """Shell of each pair among those of its site, from 0."""

    def of(self, site: int) -> slice:
        """Return the pairs of one site."""
        first, last = np.searchsorted(self.centres, [site, site + 1])
        return slice(int(first), int(last))


def neighbour_list(lattice: FloatArray, coords: FloatArray, n_shells: int) -> NeighbourList:
    """Return the neighbours of every site up to its n-th shell.

    Args:
        lattice: vectors as rows, shape (3, 3).
        coords: fractional coordinates, shape (n, 3).
        n_shells: of every site, all of them complete.
    """
    # Hydrogen stands for whatever sits there; the class knows periodic neighbours.
    crystal = Structure(Lattice(lattice), ["H"] * len(coords), coords)
    cutoff = FIRST_CUTOFF
    while True:
        centres, others, images, lengths = crystal.get_neighbor_list(cutoff + LENGTH_TOLERANCE)
        order = np.lexsort((images[:, 2], images[:, 1], images[:, 0], others, centres))
        centres, others, images = centres[order], others[order], images[order]
        lengths = lengths[order]
        shells = np.full(len(lengths), -1)
        starts = np.searchsorted(centres, np.arange(len(coords) + 1))
        enough = True
        for first, last in pairwise(starts):
            radii = shell_radii(lengths[first:last])
            enough &= len(radii) > n_shells  # the one beyond shows that the last is complete
            for number, radius in enumerate(radii[:n_shells]):
                near = np.abs(lengths[first:last] - radius) < LENGTH_TOLERANCE
                shells[first:last][near] = number
        if enough:
            break
        cutoff *= CUTOFF_FACTOR
    kept = shells >= 0
    apart = coords[others] - coords[centres] + images
    return NeighbourList(
        centres[kept], others[kept], (apart @ lattice)[kept], lengths[kept], shells[kept]
    )


def shell_radii(lengths: FloatArray) -> FloatArray:
    """Return the distinct lengths, in ascending order, without that of a site to itself."""
    rounded = np.unique(np.round(lengths[lengths > LENGTH_TOLERANCE], 3))
    is_new = np.diff(rounded, prepend=-1.0) > LENGTH_TOLERANCE
    radii: FloatArray = rounded[is_new]
    return radii
