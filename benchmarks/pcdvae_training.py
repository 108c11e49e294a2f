"""CDVAE and P-CDVAE trained on the same rows, with the same seeds, noise and epochs."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from alloop.seeds import derive_seed
from loop.dataset import DatasetPlan, MadeDataset, make_dataset
from models.base import Dataset
from models.pcdvae.model import PcdvaeModel
from models.pcdvae.options import PcdvaeOptions
from models.pcdvae.table import read_table
from oracles.lammps.options import LammpsOptions
from oracles.lammps.oracle import LammpsOracle

ELEMENTS = ("Cr", "Fe", "Ni")
ROUNDS = (5, 10, 20, 40)
"""Epochs of training, each round with its own fall of the learning rate; a model is kept after
each, so that whatever time there is ends with a trained one."""
OPTIONS = PcdvaeOptions(
    latent=64,
    encoder_width=16,
    encoder_blocks=1,
    decoder_width=32,
    decoder_blocks=2,
    head_width=128,
    neighbours=12,
    batch_size=16,
    warm_up=50,
    average=0.995,
    device="cpu",
    sampler="langevin",
    langevin_steps=4,
)
NAMES = ("cdvae", "pcdvae")


def nifecr_small(folder: Path) -> MadeDataset:
    """Make NiFeCr-Small, or go on with it: as `alloop dataset nifecr --cells 2x2x2` does."""
    oracle = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017"), elements=ELEMENTS)
    return make_dataset(DatasetPlan(), oracle, folder)


def rows(path: Path) -> Dataset:
    """Return the rows of one of the two tables."""
    return read_table(path, {"bulk_modulus": "bulk_modulus"}).data


def some(data: Dataset, n: int, *, seed: int) -> Dataset:
    """Return n rows drawn at random."""
    chosen = np.random.default_rng(seed).permutation(len(data))[:n]
    return replace(
        data,
        materials=tuple(data.materials[row] for row in chosen),
        labels=data.labels[chosen],
        is_augmented=data.is_augmented[chosen],
    )


def train(name: str, training: Dataset, folder: Path) -> dict[str, float]:
    """Train round by round; a round that is done is not done again."""
    model = PcdvaeModel(
        OPTIONS.model_copy(update={"phase": name == "pcdvae"}),
        ELEMENTS,
        (16,),
        ("fcc", "bcc"),
        {},
        ("bulk_modulus",),
    )
    for round, epochs in enumerate(ROUNDS, start=1):
        file, cost = folder / f"{name}-{round}.safetensors", folder / f"{name}-{round}.cost.json"
        if not file.exists():
            lengths = {"epochs": epochs, "refit_epochs": epochs}
            model.options = model.options.model_copy(update=lengths)
            began, cpu_began = time.perf_counter(), time.process_time()
            model.fit(
                training,
                seed=derive_seed(0, "train", round),
                on_progress=lambda share, message: print(f"{share:.3f} {message}", flush=True),
                resume_from=folder / f"{name}.training",
            )
            model.save(file)
            seconds = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu_began}
            cost.write_text(json.dumps(seconds), encoding="utf-8")
        model = PcdvaeModel.load(file)
    return {f"train_rounds_{name}": float(len(ROUNDS))}


def trained(folder: Path) -> tuple[dict[str, PcdvaeModel], dict[str, float]]:
    """Return both models after the last round that both have done, and what they cost.

    Raises:
        FileNotFoundError: if a model has not done its first round.
    """
    done = [
        round
        for round in range(1, len(ROUNDS) + 1)
        if all((folder / f"{name}-{round}.safetensors").exists() for name in NAMES)
    ]
    if not done:
        raise FileNotFoundError(f"no trained models in {folder}: do the stages of training first")
    models = {name: PcdvaeModel.load(folder / f"{name}-{done[-1]}.safetensors") for name in NAMES}
    figures = {"train_epochs": float(sum(ROUNDS[: done[-1]]))}
    for unit in ("wall", "cpu"):
        minutes = [
            sum(
                json.loads((folder / f"{name}-{r}.cost.json").read_text("utf-8"))[unit] / 60
                for r in done
            )
            for name in NAMES
        ]
        for name, spent in zip(NAMES, minutes, strict=True):
            figures[f"train_{unit}_minutes_{name}"] = spent
        if unit == "cpu":
            figures["train_minutes"] = max(minutes)
    return models, figures
