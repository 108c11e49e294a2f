"""Neighbour lists: at most k neighbours of each atom, whole shells, periodic images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vesin import NeighborList

from alloop.models.pcdvae.networks.crystal import FloatArray, IntArray

SHELL_GAP = 1e-4
"""Least gap between two shells of neighbours, Å: more than coordinates rounded to eight digits
differ, less than any physical difference."""

_MARGIN = 1.25
"""Factor by which the first search reaches beyond the average k-th neighbour."""

_GROWTH = 1.4
"""Factor of the radius from one search to the next."""


@dataclass(frozen=True)
class Neighbours:
    """Directed pairs of atoms of one or more crystals, sorted by target, then by distance."""

    target: IntArray
    """Index of the atom that has the neighbour, shape (e,)."""
    source: IntArray
    """Index of the neighbour, shape (e,)."""
    shift: IntArray
    """Offset of the neighbour's image, in lattice vectors, shape (e, 3)."""
    vector: FloatArray
    """Vector from the target to the neighbour's image, Å, shape (e, 3)."""
    distance: FloatArray
    """Distance of the pair, Å, shape (e,)."""

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: NDArray[np.bool_] | IntArray) -> "Neighbours":
        """Return some of the pairs."""
        return Neighbours(
            self.target[rows],
            self.source[rows],
            self.shift[rows],
            self.vector[rows],
            self.distance[rows],
        )


def nearest(
    positions: FloatArray, cells: FloatArray, n_atoms: IntArray, *, k: int, cutoff: float
) -> Neighbours:
    """Return each atom's nearest neighbours, shell by shell, as long as whole shells fit in k.

    The nearest shell is kept in any case. Which atoms are neighbours depends on distances alone,
    not on the order of atoms or the choice of cell vectors: no neighbour is preferred to another
    that is as far.

    Args:
        positions: Å, of all crystals' atoms, shape (n, 3).
        cells: lattice vectors as rows, Å, shape (b, 3, 3).
        n_atoms: of each crystal, shape (b,).
        k: most neighbours, unless the first shell alone has more.
        cutoff: Å; neighbours farther than this do not count.
    """
    ends = np.cumsum(n_atoms)
    found = [
        _within_reach(positions[end - n : end], cell, int(end - n), k=k, cutoff=cutoff)
        for cell, n, end in zip(cells, n_atoms, ends, strict=True)
    ]
    pairs = Neighbours(
        *(
            np.concatenate([getattr(part, name) for part in found])
            for name in ("target", "source", "shift", "vector", "distance")
        )
    )
    pairs = pairs.take(np.lexsort((pairs.distance, pairs.target)))
    return pairs.take(_is_in_whole_shell(pairs, k))


def reverse_pairs(pairs: Neighbours) -> IntArray:
    """Return the row of each pair's reverse, −1 where the source does not count the target among
    its own neighbours, shape (e,)."""
    if not len(pairs):
        return np.zeros(0, dtype=np.int64)
    reach = int(np.abs(pairs.shift).max())
    n = int(pairs.target.max()) + 1
    there = _key(pairs.target, pairs.source, pairs.shift, n, reach)
    back = _key(pairs.source, pairs.target, -pairs.shift, n, reach)
    order = np.argsort(there)
    position = np.searchsorted(there, back, sorter=order).clip(max=len(there) - 1)
    rows = order[position]
    return np.where(there[rows] == back, rows, -1)


def mutual(pairs: Neighbours) -> tuple[Neighbours, IntArray]:
    """Return the pairs whose reverse is there too, and the row of each one's reverse."""
    is_mutual = reverse_pairs(pairs) >= 0
    kept = pairs.take(is_mutual)
    return kept, reverse_pairs(kept)


def _within_reach(
    positions: FloatArray, cell: FloatArray, first: int, *, k: int, cutoff: float
) -> Neighbours:
    """Return neighbours within a radius that holds more than k of each atom, or the cutoff."""
    n = len(positions)
    volume = abs(float(np.linalg.det(cell)))
    radius = _MARGIN * (3 * (k + 1) * volume / (4 * np.pi * n)) ** (1 / 3)
    while True:
        radius = min(radius, cutoff)
        search = NeighborList(cutoff=radius, full_list=True, n_threads=1)
        target, source, shift, vector, distance = search.compute(
            points=positions, box=cell, periodic=True, quantities="ijSDd"
        )
        # More than k, so that the last shell is known to be whole.
        enough = np.bincount(target.astype(np.int64), minlength=n).min() > k
        if enough or radius == cutoff:
            return Neighbours(
                target.astype(np.int64) + first,
                source.astype(np.int64) + first,
                shift.astype(np.int64),
                vector,
                distance,
            )
        radius *= _GROWTH


def _is_in_whole_shell(pairs: Neighbours, k: int) -> NDArray[np.bool_]:
    """Return which of the sorted pairs belong to shells that fit in k, or to first shells."""
    if not len(pairs):
        return np.zeros(0, dtype=bool)
    is_first = np.diff(pairs.target, prepend=-1) != 0
    row = np.arange(len(pairs))
    rank = row - np.maximum.accumulate(np.where(is_first, row, 0))
    opens_shell = is_first | (np.diff(pairs.distance, prepend=0.0) > SHELL_GAP)
    shell = np.cumsum(opens_shell) - 1
    ends = np.append(np.flatnonzero(opens_shell)[1:], len(pairs)) - 1
    last_rank = rank[ends][shell]
    starts = np.flatnonzero(opens_shell)
    return (last_rank < k) | is_first[starts][shell]


def _key(target: IntArray, source: IntArray, shift: IntArray, n: int, reach: int) -> IntArray:
    """Return a number that tells pairs and images apart."""
    key = target * n + source
    for axis in range(3):
        key = key * (2 * reach + 1) + shift[:, axis] + reach
    return key
