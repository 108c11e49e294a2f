"""CDVAE and P-CDVAE trained on the same rows, with the same seeds, noise and epochs."""

import json
import time
from pathlib import Path

import numpy as np

from alloop.loop.dataset import DatasetPlan, MadeDataset, make_dataset
from alloop.models.base import Dataset
from alloop.models.crystal_table import read_crystal_table
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.seeds import derive_seed

ELEMENTS = ("Cr", "Fe", "Ni")
EPOCHS = 150
"""One training, one fall of the learning rate; half an hour and more of processor time."""
OPTIONS = PcdvaeOptions(
    latent=64,
    encoder_width=16,
    encoder_blocks=1,
    decoder_width=32,
    decoder_blocks=2,
    head_width=128,
    neighbours=14,
    epochs=EPOCHS,
    batch_size=32,
    warm_up=100,
    average=0.999,
    compiled=True,
    device="cpu",
    noise_conditioned=False,
    langevin_steps=1,
    freezing_steps=24,
)
"""Decoders are not told the noise level, as published."""
PLAIN = DatasetPlan()
WITH_SEARCH = DatasetPlan(search_share=0.05, search_iterations=5, search_swaps=10)
"""Some orderings improved by local search as well, as in NiFeCr-LS: half of AlloGen's share, and an
eighth of its measurements each, for cells of 16 atoms in place of 54."""
SEARCHED_EPOCHS = 15
"""Epochs with the rows of local search, after the first training: the second of the two stages. Too
few to be worth compiling."""
KINDS = ("cdvae", "pcdvae")
SEEDS = (0, 1)
"""Seeds of the trainings: weights, order of the rows, noise."""
SEARCHED = "pcdvae_ls"


def nifecr_small(folder: Path, plan: DatasetPlan = PLAIN) -> MadeDataset:
    """Make NiFeCr-Small, or go on with it: as `alloop dataset nifecr --cells 2x2x2` does."""
    oracle = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017"), elements=ELEMENTS)
    return make_dataset(plan, oracle, folder)


def rows(path: Path) -> Dataset:
    """Return the rows of one of the two tables."""
    return read_crystal_table(path, {"bulk_modulus": "bulk_modulus"}).data


def some(data: Dataset, n: int, *, seed: int) -> Dataset:
    """Return n rows drawn at random."""
    return data.take(np.random.default_rng(seed).permutation(len(data))[:n])


def name_of(kind: str, seed: int) -> str:
    """Return the name of a model trained with a seed; the first seed's is the kind's own."""
    return kind if seed == SEEDS[0] else f"{kind}_{seed}"


def train(kind: str, seed: int, training: Dataset, folder: Path) -> dict[str, float]:
    """Train one of the two models, going on where an interrupted training left off."""
    model = PcdvaeModel(
        OPTIONS.model_copy(update={"phase": kind == "pcdvae"}),
        ELEMENTS,
        (16,),
        ("fcc", "bcc"),
        {},
        ("bulk_modulus",),
    )
    return _fit(model, name_of(kind, seed), seed, training, folder)


def train_searched(training: Dataset, folder: Path) -> dict[str, float]:
    """Train P-CDVAE on, with the rows of local search: the second stage."""
    model = trained(folder, "pcdvae")
    model.options = OPTIONS.model_copy(update={"refit_epochs": SEARCHED_EPOCHS, "compiled": False})
    return _fit(model, SEARCHED, SEEDS[0], training, folder)


def trained(folder: Path, name: str) -> PcdvaeModel:
    """Return a trained model by name.

    Raises:
        ModelError: if it is not trained.
    """
    return PcdvaeModel.load(folder / f"{name}.safetensors")


def _fit(
    model: PcdvaeModel, name: str, seed: int, training: Dataset, folder: Path
) -> dict[str, float]:
    stopwatch = Stopwatch(folder / f"{name}.seconds.json")

    def on_progress(share: float, message: str) -> None:
        stopwatch.keep()
        print(f"{share:.3f} {message}", flush=True)

    model.fit(
        training,
        seed=derive_seed(seed, "train"),
        on_progress=on_progress,
        resume_from=folder / f"{name}.training",
    )
    model.save(folder / f"{name}.safetensors")
    spent = stopwatch.keep()
    return {f"train_{unit}_minutes_{name}": seconds / 60 for unit, seconds in spent.items()}


class Stopwatch:
    """Seconds that passed and seconds of processor time, added up over interruptions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def keep(self) -> dict[str, float]:
        """Write down what has been spent so far, and return it."""
        spent = {
            "wall": self._before.get("wall", 0.0) + time.perf_counter() - self._wall,
            "cpu": self._before.get("cpu", 0.0) + time.process_time() - self._cpu,
        }
        self.path.write_text(json.dumps(spent), encoding="utf-8")
        return spent
