"""The data that FTCP's benchmark trains on and holds out."""

from dataclasses import dataclass

import numpy as np

from alloop.models.base import Dataset
from alloop.models.crystal_table import read_crystal_table
from benchmarks.data import data_folder

HELD_OUT_SHARE = 0.2
DESIGN_SEED = 0
"""Seed of the split on whose held-out rows the direct network was chosen."""
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Split:
    """A data set and what is held out of it."""

    training: Dataset
    held_out: Dataset


def perovskites() -> Dataset:
    """Return Perov-5's validation set with formation energies in eV/atom."""
    path = data_folder() / "perov_5" / "val.csv"
    return read_crystal_table(path, {"formation_energy_per_atom": "heat_all"}).data


def carbons() -> Dataset:
    """Return Carbon-24's validation set with energies in eV/atom."""
    path = data_folder() / "carbon_24" / "val.csv"
    return read_crystal_table(path, {"energy_per_atom": "energy_per_atom"}).data


def split(data: Dataset, seed: int) -> Split:
    """Return four fifths of the rows, drawn at random, and the rest.

    No held-out row was ever scored while the network was designed: rows that were are always
    trained on.
    """
    rows = np.random.default_rng(DESIGN_SEED).permutation(len(data))
    n = len(data) - int((1 - HELD_OUT_SHARE) * len(data))
    unscored = rows[: len(data) - n]
    held_out = np.random.default_rng(seed).choice(unscored, n, replace=False)
    training = np.setdiff1d(rows, held_out)
    return Split(data.take(training), data.take(held_out))
