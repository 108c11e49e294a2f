"""Held-out crystals encoded and decoded again, by both models."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from models.base import Dataset
from models.metrics.fingerprints import structure_fingerprint
from models.metrics.g_vectors import cp_g_distance, g_distance
from models.metrics.matching import match
from models.pcdvae.model import PcdvaeModel

SEEDS = (0, 1)
"""Of the sampling. The models are trained once."""
Fingerprint = NDArray[np.float64]


@dataclass(frozen=True)
class Originals:
    """Held-out crystals with what they are compared by."""

    structures: tuple[Structure, ...]
    fingerprints: tuple[Fingerprint | None, ...]

    @classmethod
    def of(cls, data: Dataset) -> "Originals":
        structures = tuple(one for one in data.materials if isinstance(one, Structure))
        return cls(structures, tuple(map(_fingerprint, structures)))


def reconstruction_figures(
    models: Mapping[str, PcdvaeModel], originals: Originals
) -> dict[str, object]:
    """Return match rate, fingerprint distance and G-distances, mean and spread over seeds."""
    figures: dict[str, object] = {"reconstructed_n": float(len(originals.structures))}
    means: dict[str, float] = {}
    for name, model in models.items():
        z = model.encode(originals.structures)
        by_seed = []
        for seed in SEEDS:
            copies = [one for one in model.decode(z, seed=seed) if isinstance(one, Structure)]
            by_seed.append(_distances(originals, copies))
            print(name, seed, by_seed[-1], flush=True)
        for key in by_seed[0]:
            values = [found[key] for found in by_seed]
            means[f"{key}_{name}"] = mean = float(np.mean(values))
            figures[f"{key}_{name}"] = {"mean": mean, "std": float(np.std(values))}
    ratio = means["cp_g_distance_pcdvae"] / means["cp_g_distance_cdvae"]
    return figures | {"cp_g_distance_reduction": 1 - ratio}


def chance_figures(training: Dataset, originals: Originals) -> dict[str, object]:
    """Return the same for a training crystal drawn at random in place of each reconstruction."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(training), size=len(originals.structures))
    others = [one for row in drawn if isinstance(one := training.materials[row], Structure)]
    return {f"{key}_chance": value for key, value in _distances(originals, others).items()}


def _distances(originals: Originals, copies: Sequence[Structure]) -> dict[str, float]:
    pairs = list(zip(originals.structures, copies, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        rate = match(pairs).rate
    both = zip(originals.fingerprints, map(_fingerprint, copies), strict=True)
    known = [(one, other) for one, other in both if one is not None and other is not None]
    apart = [float(np.linalg.norm(one - other)) for one, other in known]
    return {
        "match_rate": rate,
        "fp_distance": float(np.mean(apart)) if apart else float("nan"),
        "fp_undefined": float(len(pairs) - len(known)),
        "g_distance": float(np.mean([g_distance(*pair) for pair in pairs])),
        "cp_g_distance": float(np.mean([cp_g_distance(*pair) for pair in pairs])),
    }


def _fingerprint(structure: Structure) -> Fingerprint | None:
    """Return the fingerprint, None where CrystalNN finds no neighbours for a site."""
    try:
        return structure_fingerprint(structure)
    except (ValueError, RuntimeError):
        return None
