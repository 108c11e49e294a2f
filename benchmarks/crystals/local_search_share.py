"""What the rows of local search are worth to P-CDVAE: the property head climbed from held-out
crystals after retrainings with shares of 0, 5, 10 and 20 % of such rows.

As in AlloGen, training has two stages: the rows of `benchmarks.pcdvae` first, then the same rows
with orderings that local search improved. Three first trainings, each retrained with every share
for as many steps. Everything is kept in the folder of `benchmarks.crystals.generator`.

    python -m benchmarks.crystals.local_search_share 0      one training and its four retrainings
"""

import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from alloop.loop.dataset import MEASUREMENTS, TEST, TRAINING, DatasetPlan
from alloop.models.base import Dataset
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.seeds import derive_seed
from benchmarks.crystals.generator import FOLDER, OPTIONS, with_proposed
from benchmarks.kept_runs import kept_figures
from benchmarks.pcdvae.judged import Judge, measured
from benchmarks.pcdvae.optimisation import optimisation_figures
from benchmarks.pcdvae.training import ELEMENTS, nifecr_small, rows
from benchmarks.spread import spread

SHARES = (0.0, 0.05, 0.10, 0.20)
"""Shares of the orderings that local search improved as well; AlloGen has 0.1."""
SEEDS = (0, 1, 2)
EPOCHS, REFIT_EPOCHS = 20, 8
"""Epochs of the first training and of each retraining, in passes over the rows without search."""
ITERATIONS, SWAPS = 5, 10
"""Iterations of local search and swaps in each: 50 measurements for a cell of 16 atoms, where
AlloGen makes 400 for 54."""
TABLES = FOLDER / "nifecr-small-searched"


def measure() -> dict[str, Any]:
    """Return the mean modulus of climbed crystals at each share, GPa, over trainings
    (``local_search_share_PERCENT_…``), and the gain of AlloGen's share over none
    (``local_search_gain_gpa``)."""
    return gathered([one_training(seed) for seed in SEEDS])


def one_training(seed: int) -> dict[str, float]:
    """Train with one seed, retrain with every share, climb and measure; return the figures."""
    return kept_figures(FOLDER / f"shares-{seed}.json", lambda: _measured(seed))


def _measured(seed: int) -> dict[str, float]:
    torch.set_num_threads(1)
    tables = {share: _tables(share) for share in SHARES}
    plain, held_out = tables[0.0]
    highest = max(m.properties["energy_per_atom"] for m in measured(TABLES / "0" / TRAINING))
    figures: dict[str, float] = {}
    for share, (training, _) in tables.items():
        percent = round(100 * share)
        model = _retrained(seed, plain, training, percent)
        judge = Judge(FOLDER / f"shares-{seed}-{percent}.jsonl", highest)
        name = f"local_search_share_{percent}"
        of_share = optimisation_figures(model, training, held_out, judge, name)
        columns = ("mean_bulk_modulus_gpa", "top10_bulk_modulus_gpa", "n_correct")
        figures |= {f"{name}_{column}": of_share[f"{name}_{column}"] for column in columns}
        figures[f"{name}_rows"] = float(len(training) - len(plain))
        start = "initial_mean_bulk_modulus_gpa"
        figures[f"local_search_{start}"] = of_share[f"{name}_{start}"]
    return figures


def gathered(trainings: list[dict[str, float]]) -> dict[str, Any]:
    """Return each figure's mean and standard deviation over trainings, and the gains."""
    figures: dict[str, Any] = {name: spread([t[name] for t in trainings]) for name in trainings[0]}
    for percent in (round(100 * share) for share in SHARES[1:]):
        key = "local_search_gain" if percent == 10 else f"local_search_gain_{percent}"
        for column, ending in (("mean", "gpa"), ("top10", "top10_gpa")):
            with_rows, without = (
                [t[f"local_search_share_{p}_{column}_bulk_modulus_gpa"] for t in trainings]
                for p in (percent, 0)
            )
            figures[f"{key}_{ending}"] = spread(np.subtract(with_rows, without).tolist())
    return figures | {"local_search_trainings": float(len(trainings))}


@cache
def _tables(share: float) -> tuple[Dataset, Dataset]:
    """Return training and held-out rows, both with a share of local search's. Larger shares hold
    the rows of smaller ones."""
    plan = DatasetPlan(search_share=share, search_iterations=ITERATIONS, search_swaps=SWAPS)
    folder = TABLES / f"{100 * share:.0f}"
    if share < max(SHARES) and not folder.exists():  # what it measures is among what that measured
        _tables(max(SHARES))
        folder.mkdir()
        shutil.copy(TABLES / f"{100 * max(SHARES):.0f}" / MEASUREMENTS, folder)
    nifecr_small(folder, plan)
    return rows(folder / TRAINING), rows(folder / TEST)


def _retrained(seed: int, plain: Dataset, training: Dataset, percent: int) -> PcdvaeModel:
    """Return the first training's model, retrained with some rows."""
    path = FOLDER / f"shares-{seed}-{percent}.safetensors"
    if not path.exists():
        model = PcdvaeModel.load(_first(seed, plain))
        epochs = round(REFIT_EPOCHS * len(plain) / len(training))  # as many steps with every share
        model.options = model.options.model_copy(update={"refit_epochs": epochs})
        _fit(model, training, f"shares-{seed}-{percent}", derive_seed(seed, "retrained"))
        model.save(path)
    return PcdvaeModel.load(path)


def _first(seed: int, plain: Dataset) -> Path:
    """Return the file of the first training, trained if it is not there."""
    path = FOLDER / f"shares-{seed}.safetensors"
    if not path.exists():
        options = OPTIONS.model_copy(update={"epochs": EPOCHS})
        model = PcdvaeModel(options, ELEMENTS, (16,), ("fcc", "bcc"), {}, ("bulk_modulus",))
        _fit(model, plain, f"shares-{seed}", derive_seed(seed, "shares"))
        model.save(path)
    return path


def _fit(model: PcdvaeModel, data: Dataset, name: str, seed: int) -> None:
    def on_progress(share: float, message: str) -> None:
        print(f"{name}: {share:.3f} {message}", flush=True)

    model.fit(
        with_proposed(data),
        seed=seed,
        on_progress=on_progress,
        resume_from=FOLDER / f"{name}.training",
    )


if __name__ == "__main__":
    for chosen in map(int, sys.argv[1:]):
        print(one_training(chosen))
