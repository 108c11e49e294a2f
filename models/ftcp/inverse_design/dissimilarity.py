"""How unlike known structures a crystal is, whatever its elements."""

import warnings
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from matminer.featurizers.site import CrystalNNFingerprint
from matminer.featurizers.structure import SiteStatsFingerprint
from pymatgen.core import Structure

DIFFERENT = 0.75
"""Dissimilarity from which two structures count as different (Materials Project; the paper)."""


def dissimilarities(structures: Sequence[Structure], known: np.ndarray) -> np.ndarray:
    """Return each structure's smallest dissimilarity to the known ones, shape (n,).

    The distance of local-order fingerprints: mean, standard deviation, minimum and maximum over
    sites of the coordination's order parameters (N. E. R. Zimmermann and A. Jain, RSC Adv. 10
    (2020) 6063), as in the paper. 0 is the same structure; ``DIFFERENT`` and above, another.

    Args:
        structures: to be judged.
        known: fingerprints of the known structures, shape (m, 244) or what ``fingerprints``
            gave; rows that are NaN are left out.

    Returns:
        NaN where a structure has no fingerprint, or nothing is known.
    """
    known = known[np.isfinite(known).all(axis=1)]
    if len(known) == 0:
        return np.full(len(structures), np.nan)
    own = fingerprints(structures)
    return np.array([np.sqrt(np.square(known - row).sum(axis=1)).min() for row in own])


def fingerprints(structures: Sequence[Structure]) -> np.ndarray:
    """Return local-order fingerprints as rows; NaN where neighbours cannot be found."""
    featurizer = _featurizer()
    rows = np.full((len(structures), len(featurizer.feature_labels())), np.nan)
    for row, structure in enumerate(structures):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of missing oxidation states, which are not used
            try:
                rows[row] = featurizer.featurize(structure)
            except (ValueError, RuntimeError, IndexError):
                continue  # no neighbours within reach: NaN says so
    return rows


@lru_cache(maxsize=1)
def _featurizer() -> SiteStatsFingerprint:
    return SiteStatsFingerprint(
        CrystalNNFingerprint.from_preset("ops", distance_cutoffs=None, x_diff_weight=0),
        stats=("mean", "std_dev", "minimum", "maximum"),
    )
