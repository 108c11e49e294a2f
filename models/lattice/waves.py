"""Concentration waves: an orthonormal basis of functions on the sites of a parent lattice.

The model's latent space is spanned by the amplitudes of such waves, not by the sites' own
latents. The transform is orthogonal, so it changes neither distances nor the standard-normal
prior; what it changes is the meaning of an axis-aligned box, which is what a trust region is.
In site coordinates a box half as wide as the distance between two elements' codes lets no
atom change, and a little more lets all of them change at once. In wave coordinates a box of
edge e lets a number of atoms change that grows smoothly with e. The first wave is constant:
its amplitude is the composition. (Waves describe ordering since A. G. Khachaturyan, *Theory
of Structural Transformations in Solids*, 1983, chapter 3.)
"""

import itertools
from functools import lru_cache

import numpy as np

from alloop.models.lattice.parent import FloatArray, IntArray, ParentLattice

SAME_SHIFT = 1e-3
"""Largest difference of fractional shifts of the sites under one translation."""
TURN = 10**6
"""Number of parts of a full turn that phases are compared in."""
FARTHEST = 3
"""Largest component of a wave vector, in numbers of unit cells along the longest edge."""


@lru_cache(maxsize=16)
def concentration_waves(parent: ParentLattice) -> FloatArray:
    """Return the waves as rows, longest wavelengths first; orthogonal, shape (n_sites, n_sites).

    They are the cosines and sines whose period fits the supercell, on each set of open sites that
    translations carry into one another. In fractional coordinates fcc and bcc have the same
    sites, hence the same waves.
    """
    shifts, sets = _translations(parent)
    most = max(parent.supercell.repeats)
    rows: list[FloatArray] = []
    known: set[tuple[int, ...]] = set()
    for vector in _wave_vectors(most):
        # Wave vectors that give every translation the same phase are one and the same wave.
        key, reverse = _turns(shifts @ vector), _turns(-shifts @ vector)
        if key in known or reverse in known:
            continue
        known.add(key)
        for sites in sets:
            apart = parent.sites[sites] - parent.sites[sites[0]]
            phase = np.pi / most * np.round(2 * most * (apart @ vector), 9)
            # Of a standing wave the sine vanishes on the sites.
            waves = (np.cos(phase),) if key == reverse else (np.cos(phase), np.sin(phase))
            norm = np.sqrt((1 if key == reverse else 2) / len(sites))
            for wave in waves:
                row = np.zeros(parent.n_sites)
                row[sites] = wave * norm
                rows.append(row)
        if len(rows) == parent.n_sites:
            return np.stack(rows)
    raise AssertionError(f"{len(rows)} waves on the {parent.n_sites} sites of {parent.title}")


def _wave_vectors(most: int) -> "itertools.chain[IntArray]":
    """Return wave vectors in units of the supercell's reciprocal vectors, the shortest first."""
    boxes = []
    for factor in range(1, FARTHEST + 1):
        reach = factor * most
        vectors = itertools.product(range(-reach, reach + 1), repeat=3)
        boxes.append(np.array(v) for v in sorted(vectors, key=_by_length))
    return itertools.chain(*boxes)


def _translations(parent: ParentLattice) -> tuple[FloatArray, list[IntArray]]:
    """Return the shifts under which the open sites are the same, (t, 3), and the sets of sites
    that they carry into one another."""
    sites, kept = parent.sites, parent.symmetries
    shifts = sites[kept[:, 0]] - sites[0]
    for site in range(parent.n_sites):
        apart = sites[kept[:, site]] - sites[site] - shifts
        same = (np.abs(apart - np.round(apart)) < SAME_SHIFT).all(axis=1)
        kept, shifts = kept[same], shifts[same]
    least = kept.min(axis=0)
    return shifts, [np.flatnonzero(least == first) for first in np.unique(least)]


def _turns(phases: FloatArray) -> tuple[int, ...]:
    return tuple((np.round(phases * TURN).astype(int) % TURN).tolist())


def _by_length(vector: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return sum(k * k for k in vector), vector
