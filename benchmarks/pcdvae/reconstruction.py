"""Held-out crystals encoded and decoded again, by both models."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from alloop.materials import formula_of
from alloop.models.base import Dataset
from alloop.models.metrics.fingerprints import structure_fingerprint
from alloop.models.metrics.g_vectors import cp_g_distance, g_distance
from alloop.models.metrics.matching import match
from alloop.models.pcdvae.model import PcdvaeModel

SEEDS = (0,)
"""Seeds of the sampling."""
LOOKED_INTO = 100
"""Crystals whose fingerprints and matches are taken, which takes a second or two each."""
DEFECTIVE = 0.5
"""A CP G-distance above this is no noise: the ideal lattice costs 0.1, the wrong one 1.3, and
lattices with defects anything between and beyond."""
RESAMPLINGS = 2000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Originals:
    """Held-out crystals, in random order, with what they are compared by."""

    structures: tuple[Structure, ...]
    fingerprints: tuple[Floats | None, ...]
    """Fingerprints of the first LOOKED_INTO structures."""
    formulas: tuple[str, ...]

    @classmethod
    def of(cls, data: Dataset) -> "Originals":
        structures = tuple(one for one in data.materials if isinstance(one, Structure))
        return cls(
            structures,
            tuple(map(_fingerprint, structures[:LOOKED_INTO])),
            tuple(formula_of(one.composition) for one in structures),
        )


def rebuild(model: PcdvaeModel, originals: Originals, path: Path) -> None:
    """Rebuild all originals once for each seed, and write down how far off they are.

    What is written down already is not done again.
    """
    z = model.encode(originals.structures)
    found = json.loads(path.read_text("utf-8")) if path.exists() else []
    for seed in SEEDS[len(found) :]:
        copies = [one for one in model.decode(z, seed=seed) if isinstance(one, Structure)]
        found.append(_distances(originals, copies))
        means = {key: float(np.mean(row)) for key, row in found[-1].items()}
        print(path.stem, seed, means, flush=True)
        path.write_text(json.dumps(found), encoding="utf-8")


def reconstruction_figures(
    paths: Mapping[str, Sequence[Path]], originals: Originals
) -> dict[str, object]:
    """Return match rate, fingerprint distance and G-distances, mean and spread over all runs.

    Args:
        paths: of what was written down of each training, by kind of model: first without the
            phase, then with it.
        originals: what was rebuilt.
    """
    figures: dict[str, object] = {"reconstructed_n": float(len(originals.structures))}
    of_crystals = []
    for kind, trainings in paths.items():
        runs = [json.loads(path.read_text("utf-8")) for path in trainings]
        for key in runs[0][0]:
            figures[f"{key}_{kind}"] = _spread(
                [float(np.mean(run[key])) for training in runs for run in training]
            )
        every = [np.array([run["cp_g_distance"] for run in training]) for training in runs]
        of_crystals.append(np.stack([of.mean(0) for of in every]))  # (trainings, crystals)
        figures[f"defective_share_{kind}"] = float((np.concatenate(every) > DEFECTIVE).mean())
        figures[f"cp_g_distance_median_{kind}"] = float(np.median(np.concatenate(every)))
    plain, told = of_crystals
    for training, (one, other) in enumerate(zip(plain, told, strict=True)):
        figures[f"cp_g_distance_reduction_training_{training}"] = 1 - other.mean() / one.mean()
    low, high = _interval(plain.mean(0), told.mean(0), originals.formulas)
    return figures | {
        "cp_g_distance_reduction": 1 - told.mean() / plain.mean(),
        "cp_g_distance_reduction_low": low,
        "cp_g_distance_reduction_high": high,
    }


def chance_figures(training: Dataset, originals: Originals) -> dict[str, object]:
    """Return the same for a training crystal drawn at random in place of each reconstruction."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(training), size=len(originals.structures))
    others = [one for row in drawn if isinstance(one := training.materials[row], Structure)]
    distances = _distances(originals, others)
    return {f"{key}_chance": float(np.mean(values)) for key, values in distances.items()}


def _distances(originals: Originals, copies: Sequence[Structure]) -> dict[str, list[float]]:
    pairs = list(zip(originals.structures, copies, strict=True))
    first = copies[:LOOKED_INTO]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        rate = match(pairs[:LOOKED_INTO]).rate
    both = list(zip(originals.fingerprints, map(_fingerprint, first), strict=True))
    known = [(one, other) for one, other in both if one is not None and other is not None]
    return {
        "match_rate": [rate],
        "fp_distance": [float(np.linalg.norm(one - other)) for one, other in known],
        "fp_undefined": [float(len(both) - len(known))],
        "g_distance": [g_distance(*pair) for pair in pairs],
        "cp_g_distance": [cp_g_distance(*pair) for pair in pairs],
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "std": float(np.std(values))}


def _interval(plain: Floats, told: Floats, formulas: Sequence[str]) -> tuple[float, float]:
    """Return the 95 % interval of the reduction when formulas are drawn again.

    Crystals of one formula have similar z, and fail together.
    """
    _, group = np.unique(formulas, return_inverse=True)
    sums = np.stack([np.bincount(group, weights=distance) for distance in (plain, told)])
    rng = np.random.default_rng(0)
    n = sums.shape[1]
    drawn = sums[:, rng.integers(n, size=(RESAMPLINGS, n))].sum(-1)
    low, high = np.quantile(1 - drawn[1] / drawn[0], [0.025, 0.975])
    return float(low), float(high)


def _fingerprint(structure: Structure) -> Floats | None:
    """Return the fingerprint, None where CrystalNN finds no neighbours for a site."""
    try:
        return structure_fingerprint(structure)
    except (ValueError, RuntimeError):
        return None
