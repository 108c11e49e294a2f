"""Eight small crystals learnt by heart, then sampled: does the whole machine work?"""

import warnings
from pathlib import Path

import numpy as np
import torch
from pymatgen.core import Lattice, Structure

from alloop.models.base import Dataset
from alloop.models.metrics.matching import match
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.models.pcdvae.options import PcdvaeOptions

COPIES = 8
"""Number of copies of each crystal in a batch, each with its own noise."""
SEEDS = (100, 101, 102, 103)
OPTIONS = PcdvaeOptions(
    phase=False,
    latent=16,
    encoder_width=32,
    encoder_blocks=2,
    decoder_width=48,
    decoder_blocks=2,
    head_width=64,
    neighbours=12,
    epochs=1500,
    batch_size=64,
    learning_rate=2e-3,
    average=0.99,
    device="cpu",
    sampler="langevin",
    langevin_steps=10,
)
FASTER = {
    "ancestral_50": {"sampler": "ancestral", "ancestral_steps": 50},
    "ancestral_500": {"sampler": "ancestral", "ancestral_steps": 500},
    "langevin_50": {"langevin_steps": 1},
    "langevin_100": {"langevin_steps": 2},
    "langevin_200": {"langevin_steps": 4},
    "langevin_300_freezing": {"langevin_steps": 1, "freezing_steps": 24},
}
"""Options of each sampler, named by sampler and decoder calls."""


def overfit_figures(folder: Path) -> dict[str, float]:
    """Return match rates after sampling, mean over seeds.

    Args:
        folder: where the training is kept, to go on from.
    """
    torch.set_num_threads(1)
    crystals, file = eight_crystals(), folder / "overfit.safetensors"
    if not file.exists():
        _fit(crystals, folder / "overfit.training").save(file)
    model = PcdvaeModel.load(file)
    figures = {"overfit_match_rate": _rate(model, crystals)}
    print(figures, flush=True)
    for name, changes in FASTER.items():
        model.options = OPTIONS.model_copy(update=changes)
        figures[f"overfit_match_rate_{name}"] = _rate(model, crystals)
    return figures


def _fit(crystals: tuple[Structure, ...], file: Path) -> PcdvaeModel:
    model = PcdvaeModel(OPTIONS, ("Al", "Ni", "O", "Ti"), range(2, 9), (), {}, ())
    materials = crystals * COPIES
    data = Dataset(
        materials, (), np.zeros((len(materials), 0)), np.zeros(len(materials), dtype=bool)
    )
    model.fit(data, seed=0, resume_from=file)
    return model


def eight_crystals() -> tuple[Structure, ...]:
    """Return eight known structure types with two to eight atoms."""
    corner, middle = [0.0] * 3, [0.5] * 3
    faces = [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    cubic, of_group = Lattice.cubic, Structure.from_spacegroup
    return (
        Structure(cubic(2.88), ["Ni", "Al"], [corner, middle]),
        Structure(cubic(3.57), ["Ni", "Ni", "Ni", "Al"], [*faces, corner]),
        Structure(cubic(3.90), ["Ti", "Al", "O", "O", "O"], [corner, middle, *faces]),
        of_group("Fm-3m", cubic(4.2), ["Ti", "O"], [corner, middle]),
        of_group("F-43m", cubic(5.0), ["Al", "O"], [corner, [0.25] * 3]),
        of_group(
            "P4_2/mnm", Lattice.tetragonal(4.6, 2.96), ["Ti", "O"], [corner, [0.305, 0.305, 0]]
        ),
        Structure(Lattice.tetragonal(2.8, 3.6), ["Ni", "Ti"], [corner, middle]),
        of_group("P6_3/mmc", Lattice.hexagonal(2.9, 4.65), ["Ti"], [[1 / 3, 2 / 3, 0.25]]),
    )


def _rate(model: PcdvaeModel, crystals: tuple[Structure, ...]) -> float:
    z = model.encode(crystals)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        rates = [
            match(zip(crystals, _structures(model, z, seed), strict=True)).rate for seed in SEEDS
        ]
    return float(np.mean(rates))


def _structures(model: PcdvaeModel, z: torch.Tensor, seed: int) -> list[Structure]:
    return [found for found in model.decode(z, seed=seed) if isinstance(found, Structure)]
