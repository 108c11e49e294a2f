"""The data that FTCP's benchmark trains on and holds out."""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.data import data_folder
from models.base import Dataset
from models.ftcp.tables import read_table

TRAINING_SHARE = 0.8
SPLIT_SEED = 0


@dataclass(frozen=True)
class Split:
    """A data set and what is held out of it."""

    training: Dataset
    held_out: Dataset


def perovskites() -> Dataset:
    """Return Perov-5's validation set with formation energies in eV/atom."""
    path = data_folder() / "perov_5" / "val.csv"
    return read_table(path, {"formation_energy_per_atom": "heat_all"}).data


def carbons() -> Dataset:
    """Return Carbon-24's validation set with energies in eV/atom."""
    path = data_folder() / "carbon_24" / "val.csv"
    return read_table(path, {"energy_per_atom": "energy_per_atom"}).data


def split(data: Dataset) -> Split:
    """Return 80 % of the rows, drawn at random, and the rest."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(data))
    n = int(TRAINING_SHARE * len(data))
    return Split(rows_of(data, order[:n]), rows_of(data, order[n:]))


def rows_of(data: Dataset, rows: np.ndarray) -> Dataset:
    """Return some rows of a data set."""
    return replace(
        data,
        materials=tuple(data.materials[row] for row in rows),
        labels=data.labels[rows],
        is_augmented=data.is_augmented[rows],
    )
