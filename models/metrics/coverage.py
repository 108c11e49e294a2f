"""Coverage of reference materials by generated ones, and distances of their property
distributions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matminer.featurizers.composition import ElementProperty
from numpy.typing import NDArray
from pymatgen.core import Composition, Structure
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from alloop.models.metrics.fingerprints import structure_fingerprint

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Coverage:
    """Coverage of a reference set by a generated one (CDVAE, section 5.2, after Xu et al. 2021)."""

    recall: float
    """Share of reference materials with a generated one nearby."""
    precision: float
    """Share of generated materials with a reference one nearby."""


def coverage(
    generated: Sequence[Structure],
    reference: Sequence[Structure],
    *,
    structure_cutoff: float,
    composition_cutoff: float,
) -> Coverage:
    """Return recall and precision of a generated set against a reference set.

    A material is nearby if both its structure's and its composition's fingerprint are: of the
    *same* material, as CDVAE's text defines it (its published code takes the minimum of each by
    itself). Compositions' fingerprints are Magpie's statistics, standardised over the reference
    set.

    Args:
        generated: structures.
        reference: structures.
        structure_cutoff: CDVAE's: 0.2 for Perov-5 and Carbon-24, 0.4 for MP-20.
        composition_cutoff: CDVAE's: 4 and 10, in units of its own standardisation.
    """
    structures = cdist(_fingerprints(generated), _fingerprints(reference))
    compositions = _composition_distances(
        [each.composition for each in generated], [each.composition for each in reference]
    )
    return coverage_of_pairs(structures <= structure_cutoff, compositions <= composition_cutoff)


def composition_coverage(
    generated: Sequence[Composition], reference: Sequence[Composition], *, cutoff: float
) -> Coverage:
    """Return recall and precision of generated compositions against a reference set's: nearby is
    what ``coverage`` calls so, whatever the structures.
    """
    near = _composition_distances(generated, reference) <= cutoff
    return coverage_of_pairs(near, near)


def _composition_distances(
    generated: Sequence[Composition], reference: Sequence[Composition]
) -> FloatArray:
    ours, theirs = _magpie(generated), _magpie(reference)
    mean, std = theirs.mean(axis=0), theirs.std(axis=0)
    varies = std > 0
    # A statistic that never varies in the reference keeps its own unit.
    scale = np.where(varies, std, 1.0)
    return cdist((ours - mean) / scale, (theirs - mean) / scale)


def coverage_of_pairs(
    is_near_in_structure: NDArray[np.bool_], is_near_in_composition: NDArray[np.bool_]
) -> Coverage:
    """Return the coverage from tables of which pairs are near, each (generated, reference)."""
    is_near = is_near_in_structure & is_near_in_composition
    return Coverage(
        recall=float(is_near.any(axis=0).mean()), precision=float(is_near.any(axis=1).mean())
    )


def distribution_distances(
    generated: Sequence[Structure], reference: Sequence[Structure]
) -> dict[str, float]:
    """Return Wasserstein distances of density (g/cm³) and of the number of elements."""
    return {
        "density": float(
            wasserstein_distance(
                [structure.density for structure in generated],
                [structure.density for structure in reference],
            )
        ),
        "n_elements": float(
            wasserstein_distance(
                [len(structure.composition) for structure in generated],
                [len(structure.composition) for structure in reference],
            )
        ),
    }


def property_distance(generated: Sequence[float], reference: Sequence[float]) -> float:
    """Return the Wasserstein distance between values of a property, in its unit."""
    return float(wasserstein_distance(generated, reference))


def _fingerprints(structures: Sequence[Structure]) -> FloatArray:
    return np.stack([structure_fingerprint(structure) for structure in structures])


def _magpie(compositions: Sequence[Composition]) -> FloatArray:
    rows = [_featuriser().featurize(composition) for composition in compositions]
    return np.array(rows, dtype=np.float64)


@lru_cache(maxsize=1)
def _featuriser() -> ElementProperty:
    return ElementProperty.from_preset("magpie")
