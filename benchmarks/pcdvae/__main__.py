"""The figures of P-CDVAE: `make bench-pcdvae`, in stages that can be interrupted.

    python -m benchmarks.pcdvae                 every stage
    python -m benchmarks.pcdvae costs overfit   some of them

A stage that is done is not done again; a training goes on from its checkpoint, a measurement is
not made twice. Everything is kept in the folder ALLOOP_BENCH, or in runs/bench-pcdvae. After each
stage results/pcdvae.json is written with the figures that there are.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

from alloop.loop.dataset import TEST, TRAINING
from alloop.models.base import Dataset
from benchmarks.pcdvae.costs import cost_figures
from benchmarks.pcdvae.generation import generation_figures
from benchmarks.pcdvae.judged import Judge, measured
from benchmarks.pcdvae.optimisation import optimisation_figures
from benchmarks.pcdvae.overfit import overfit_figures
from benchmarks.pcdvae.reconstruction import (
    Originals,
    chance_figures,
    rebuild,
    reconstruction_figures,
)
from benchmarks.pcdvae.training import (
    KINDS,
    SEARCHED,
    SEEDS,
    WITH_SEARCH,
    name_of,
    nifecr_small,
    rows,
    some,
    train,
    train_searched,
    trained,
)
from benchmarks.recording import record

FOLDER = Path(os.environ.get("ALLOOP_BENCH", "runs/bench-pcdvae"))
TABLES, SEARCHED_TABLES = FOLDER / "nifecr-small", FOLDER / "nifecr-small-ls"
THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))
TRAININGS = [(kind, seed) for kind in KINDS for seed in SEEDS]
Figures = Mapping[str, Any]


def main(names: Sequence[str]) -> None:
    """Do the stages that are not done, and write the figures after each."""
    if unknown := set(names) - set(STAGES):
        raise SystemExit(f"no stage {', '.join(unknown)}; there are {', '.join(STAGES)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or STAGES:
        path = FOLDER / f"stage-{name}.json"
        if not path.exists():
            print(f"stage {name}", flush=True)
            torch.set_num_threads(THREADS)  # a stage before may have taken one
            figures = STAGES[name]()
            path.write_text(json.dumps(figures), encoding="utf-8")
        print(record("pcdvae", _figures(), command="make bench-pcdvae"), flush=True)


def _figures() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for stage in STAGES:
        path = FOLDER / f"stage-{stage}.json"
        if path.exists():
            found |= json.loads(path.read_text("utf-8"))
    names = [name_of(*training) for training in TRAININGS]
    minutes = [found[key] for name in names if (key := f"train_cpu_minutes_{name}") in found]
    return found | ({"train_minutes": max(minutes)} if minutes else {})


def data() -> Figures:
    """Make NiFeCr-Small with the LAMMPS oracle."""
    made, searched = nifecr_small(TABLES), nifecr_small(SEARCHED_TABLES, WITH_SEARCH)
    return {
        "data_searched_training_rows": float(searched.n_training - made.n_training),
        "data_training_rows": float(made.n_training),
        "data_test_rows": float(made.n_test),
        "data_failed_rows": float(made.n_failed),
    }


def train_one(kind: str, seed: int) -> Figures:
    """Train one model on what is not held out."""
    return train(kind, seed, _split()[0], FOLDER)


def reconstruct(kind: str, seed: int) -> Figures:
    """Rebuild what was held out, with one model."""
    rebuild(trained(FOLDER, name_of(kind, seed)), _originals(), _rebuilt(kind, seed))
    return {}


def compare() -> Figures:
    """Compare what both models rebuilt."""
    originals = _originals()
    paths = {kind: [_rebuilt(kind, seed) for seed in SEEDS] for kind in KINDS}
    return chance_figures(_split()[0], originals) | reconstruction_figures(paths, originals)


@cache
def _originals() -> Originals:
    """Return the held-out crystals in random order."""
    held_out = _split()[1]
    return Originals.of(some(held_out, len(held_out), seed=0))


def _rebuilt(kind: str, seed: int) -> Path:
    return FOLDER / f"rebuilt-{name_of(kind, seed)}.json"


def optimise() -> Figures:
    """Climb the property head of P-CDVAE, without and with local search's rows, and measure."""
    training, held_out = _split()
    figures: dict[str, Any] = {}
    for name, rows_of, prefix in (
        ("pcdvae", training, "optimised"),
        (SEARCHED, rows(SEARCHED_TABLES / TRAINING), "optimised_ls"),
    ):
        model = trained(FOLDER, name)
        judge = _judge(f"optimise-{name}")
        figures |= optimisation_figures(model, rows_of, held_out, judge, prefix)
    return figures


def generate() -> Figures:
    """Draw from P-CDVAE's prior, relax, measure."""
    model = trained(FOLDER, "pcdvae")
    known = [*measured(TABLES / TRAINING), *measured(TABLES / TEST)]
    return generation_figures(model, known, _judge("generate"), FOLDER)


def _split() -> tuple[Dataset, Dataset]:
    """Return training and held-out rows, which share no pair of formula and phase."""
    return rows(TABLES / TRAINING), rows(TABLES / TEST)


def _judge(stage: str) -> Judge:
    """Return the oracle of a stage's crystals, with the limit that the training data sets."""
    known = measured(TABLES / TRAINING)
    return Judge(
        FOLDER / f"decoded-{stage}.jsonl", max(one.properties["energy_per_atom"] for one in known)
    )


STAGES: dict[str, Callable[[], Figures]] = {
    "costs": cost_figures,
    "overfit": lambda: overfit_figures(FOLDER),
    "data": data,
    **{f"train-{name_of(*training)}": partial(train_one, *training) for training in TRAININGS},
    "train-searched": lambda: train_searched(rows(SEARCHED_TABLES / TRAINING), FOLDER),
    **{
        f"reconstruct-{name_of(*training)}": partial(reconstruct, *training)
        for training in TRAININGS
    },
    "compare": compare,
    "optimise": optimise,
    "generate": generate,
}


if __name__ == "__main__":
    main(sys.argv[1:])
