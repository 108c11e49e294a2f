"""Other descriptions of the same crystals: shifted origins, reordered sites and axes.

The representation is invariant under none of these (paper, "Invariance challenge"); a model
trained on them learns to be, nearly.
"""

from dataclasses import replace
from itertools import permutations

import numpy as np

from alloop.models.ftcp.representation.crystals import EMPTY, CrystalArrays

_AXES = np.array(list(permutations(range(3))))
_HANDS = np.array([np.linalg.det(np.eye(3)[list(order)]) for order in permutations(range(3))])


def symmetry_copies(crystals: CrystalArrays, rng: np.random.Generator) -> CrystalArrays:
    """Return an equivalent description of each crystal: another origin, order of sites and of
    axes."""
    return reordered_axes(reordered_sites(shifted(crystals, rng), rng), rng)


def shifted(crystals: CrystalArrays, rng: np.random.Generator) -> CrystalArrays:
    """Return each crystal with its origin moved at random; coordinates in [0, 1)."""
    shifts = rng.random((len(crystals), 1, 3))
    present = (crystals.occupants != EMPTY)[..., None]
    return replace(crystals, coords=np.where(present, (crystals.coords + shifts) % 1.0, 0.0))


def reordered_sites(crystals: CrystalArrays, rng: np.random.Generator) -> CrystalArrays:
    """Return each crystal with its sites in random order, element columns following them."""
    n, sites = crystals.occupants.shape
    is_empty = crystals.occupants == EMPTY
    order = np.argsort(rng.random((n, sites)) + is_empty, axis=1)  # empty sites stay last
    occupants = np.take_along_axis(crystals.occupants, order, axis=1)
    coords = np.take_along_axis(crystals.coords, order[..., None], axis=1)
    width = crystals.elements.shape[1]
    # columns in the order of their first site; columns without sites last, in their own order
    is_of = occupants[..., None] == np.arange(width)  # (n, S, W)
    first = np.where(is_of.any(axis=1), is_of.argmax(axis=1), sites + np.arange(width))
    columns = np.argsort(first, axis=1)
    renamed = np.take_along_axis(np.argsort(columns, axis=1), np.maximum(occupants, 0), axis=1)
    return replace(
        crystals,
        elements=np.take_along_axis(crystals.elements, columns, axis=1),
        coords=coords,
        occupants=np.where(occupants == EMPTY, EMPTY, renamed),
    )


def reordered_axes(crystals: CrystalArrays, rng: np.random.Generator) -> CrystalArrays:
    """Return each crystal with a, b, c in random order; right-handed, as before."""
    which = rng.integers(len(_AXES), size=len(crystals))
    order, hands = _AXES[which], _HANDS[which]
    lengths = np.take_along_axis(crystals.lattices[:, :3], order, axis=1)
    angles = np.take_along_axis(crystals.lattices[:, 3:], order, axis=1)
    coords = np.take_along_axis(crystals.coords, order[:, None, :], axis=2)
    # an odd reordering makes a left-handed basis; all vectors turned round make it right-handed
    coords = np.where(hands[:, None, None] < 0, -coords % 1.0, coords)
    return replace(crystals, lattices=np.hstack([lengths, angles]), coords=coords)
