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

from alloop.models.lattice.parent import FloatArray, ParentLattice


@lru_cache(maxsize=16)
def concentration_waves(parent: ParentLattice) -> FloatArray:
    """Return the waves as rows, longest wavelengths first; orthogonal, shape (n_sites, n_sites).

    They are the cosines and sines whose period fits the supercell. In fractional coordinates
    fcc and bcc have the same sites, hence the same waves.
    """
    n = parent.n
    half_edges = np.round(parent.sites * 2 * n).astype(int)
    generators = np.array([(1, 1, 1), (2, 0, 0), (0, 2, 0), (0, 0, 2)])  # of the translations
    rows: list[FloatArray] = []
    known: set[tuple[int, ...]] = set()
    vectors = sorted(itertools.product(range(-n, n + 1), repeat=3), key=_by_length)
    for vector in np.array(vectors):
        # Wave vectors that give every translation the same phase are one and the same wave.
        key = tuple((generators @ vector % (2 * n)).tolist())
        reverse = tuple((-generators @ vector % (2 * n)).tolist())
        if key in known or reverse in known:
            continue
        known.add(key)
        phase = np.pi / n * (half_edges @ vector)
        if key == reverse:  # standing: the sine vanishes on the sites
            rows.append(np.cos(phase) / np.sqrt(parent.n_sites))
        else:
            rows += [f(phase) * np.sqrt(2 / parent.n_sites) for f in (np.cos, np.sin)]
    return np.stack(rows)


def _by_length(vector: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return sum(k * k for k in vector), vector
