"""Orderings that are equivalent to known ones, told from new ones by thousands at a time."""

from collections.abc import Callable, Iterable

import numpy as np

from alloop.loop.choose.moves.base import BoolArray, FloatArray, IntArray
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.parent import ParentLattice
from alloop.space import AnySpace, Decorations

IsKnown = Callable[[IntArray], BoolArray]
"""Whether codes (n, k) are known already, shape (n,)."""
MOST_IMAGES = 800
"""Largest number of a cell's symmetries for which equivalents are told before they are scored. In
larger cells one ordering in some hundreds equals a known one, and telling which costs more than to
score them all."""
LARGEST_WEIGHT = 2**44
"""Largest weight of a species on a site: sums over 500 sites are exact in double precision."""


class KnownOrderings:
    """Known orderings and all their equivalents.

    Each ordering has a number that it shares with its equivalents: random weights of the species
    that it has on its sites are added up, and the least such sum of all its images counts. Two
    that are not equivalent agree in it with a probability of about 10⁻¹².

    Args:
        space: of the orderings.
        codes: of the known ones, as ``DecorationMoves`` has them.
    """

    def __init__(self, space: DecorationSpace, codes: Iterable[IntArray]) -> None:
        rng = np.random.default_rng(0)
        shape = space.n_open, len(space.species)
        self._species = np.arange(len(space.species))
        self._images = [
            _weights_of_images(parent, rng.integers(LARGEST_WEIGHT, size=shape).astype(np.float64))
            for parent in space.parents
        ]
        known = np.array(list(codes), dtype=np.int64).reshape(-1, 1 + space.n_open)
        self._known = np.unique(self._numbers(known))

    def __call__(self, codes: IntArray) -> BoolArray:
        """Return whether each row is equivalent to a known one, shape (n,)."""
        return np.isin(self._numbers(codes), self._known)

    def _numbers(self, codes: IntArray) -> FloatArray:
        numbers = np.empty(len(codes))
        for lattice, images in enumerate(self._images):
            rows = codes[:, 0] == lattice
            occupied = (codes[rows, 1:, None] == self._species).astype(np.float64)
            sums = occupied.reshape(-1, len(images)) @ images
            numbers[rows] = sums.min(axis=1)
        return numbers


def known_orderings(space: AnySpace, codes: Iterable[IntArray]) -> IsKnown | None:
    """Return what tells known orderings of a space; None where that would not pay, or where there
    are no orderings.

    Args:
        space: of a campaign.
        codes: of what is known in it.
    """
    if not isinstance(space, Decorations):
        return None
    orderings = DecorationSpace.of_space(space)
    if max(len(parent.equivalences) for parent in orderings.parents) > MOST_IMAGES:
        return None
    return KnownOrderings(orderings, codes)


def _weights_of_images(parent: ParentLattice, weights: FloatArray) -> FloatArray:
    """Return the weight of each species on each site in every image, shape (sites × species,
    images)."""
    images = parent.equivalences  # a group: each permutation's inverse is another of them
    moved: FloatArray = weights[images].reshape(len(images), -1).T
    return moved
