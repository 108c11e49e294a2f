"""AlloGen's Table 3: the property head climbed from held-out crystals, decoded and measured."""

from collections.abc import Sequence

import numpy as np
import torch
from pymatgen.core import Structure

from alloop.loop.choose.numerics import single_threaded
from alloop.models.base import Dataset
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.models.pcdvae.optimisation import STEPS, optimise
from benchmarks.pcdvae.judged import Judge, columns
from benchmarks.pcdvae.latent_acquisition import climb_latents

STARTS = 40
"""Held-out crystals that are climbed from; AlloGen takes all its 327."""
SURROGATE_ROWS = 150
"""Training rows that the loop's Gaussian process learns from."""


def optimisation_figures(
    model: PcdvaeModel,
    training: Dataset,
    held_out: Dataset,
    judge: Judge,
    prefix: str = "optimised",
) -> dict[str, float]:
    """Return Table 3's columns for each number of steps, for the acquisition, and for the start.

    The figures without a number of steps are of the stage with the highest mean.
    """
    rows = np.random.default_rng(0).permutation(len(held_out))[:STARTS]
    starts = [m for row in rows if isinstance(m := held_out.materials[row], Structure)]
    initial = sorted(held_out.labels[rows, 0], reverse=True)
    figures = {
        f"{prefix}_initial_mean_bulk_modulus_gpa": float(np.mean(initial)),
        f"{prefix}_initial_top10_bulk_modulus_gpa": float(np.mean(initial[:10])),
        f"{prefix}_n_starts": float(len(starts)),
    }
    z = model.encode(starts)
    stages = {"0_steps": z}
    points = optimise(model.network, z, 0, maximise=True, steps=STEPS)
    stages |= {f"{step}_steps": found for step, found in points.items()}
    stages["acquisition"] = _by_acquisition(model, training, z)
    for name, points_of_stage in stages.items():
        judged = judge.judge(model.decode(points_of_stage, seed=0))
        figures |= columns(judged, f"{prefix}_{name}")
        print(name, {k: v for k, v in figures.items() if name in k}, flush=True)
    return figures | _best(figures, prefix, [f"{step}_steps" for step in points])


def _best(figures: dict[str, float], prefix: str, names: Sequence[str]) -> dict[str, float]:
    mean = "mean_bulk_modulus_gpa"
    there = [name for name in names if f"{prefix}_{name}_{mean}" in figures]
    if not there:
        return {f"{prefix}_n_correct": 0.0}
    best = max(there, key=lambda name: figures[f"{prefix}_{name}_{mean}"])
    return {
        f"{prefix}_{column}": figures[f"{prefix}_{best}_{column}"]
        for column in (mean, "top10_bulk_modulus_gpa", "n_correct")
    }


def _by_acquisition(model: PcdvaeModel, training: Dataset, starts: torch.Tensor) -> torch.Tensor:
    """Return the starts climbed by expected improvement, each within its own trust region."""
    rows = np.random.default_rng(1).permutation(len(training))[:SURROGATE_ROWS]
    z = model.encode([training.materials[row] for row in rows]).double()
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(0)
        return climb_latents(model.embed, z, torch.from_numpy(training.labels[rows, 0]), starts)
