"""Distance between structures by the coordination of their sites."""

import warnings
from functools import lru_cache

import numpy as np
from matminer.featurizers.site.fingerprint import CrystalNNFingerprint
from numpy.typing import NDArray
from pymatgen.core import Structure


def structure_fingerprint(structure: Structure) -> NDArray[np.float64]:
    """Return the mean over sites of the CrystalNN fingerprints ("ops" preset), shape (61,).

    So CDVAE and AlloGen compare structures (CDVAE, appendix on metrics; AlloGen, section 4.1).

    Raises:
        ValueError, RuntimeError: where CrystalNN finds no neighbours for a site.
    """
    with warnings.catch_warnings():
        # Without oxidation states it falls back on covalent radii, for every structure alike.
        warnings.simplefilter("ignore", UserWarning)
        sites = [_featuriser().featurize(structure, row) for row in range(len(structure))]
    return np.mean(sites, axis=0)


def fingerprint_distance(one: Structure, other: Structure) -> float:
    """Return the Euclidean distance between two structures' fingerprints."""
    return float(np.linalg.norm(structure_fingerprint(one) - structure_fingerprint(other)))


@lru_cache(maxsize=1)
def _featuriser() -> CrystalNNFingerprint:
    return CrystalNNFingerprint.from_preset("ops")
