"""The published alloys, their published features, and the paper's way of splitting them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from matminer.featurizers.composition import ElementProperty
from pymatgen.core import Composition
from sklearn.model_selection import train_test_split

from alloop.models.base import Dataset
from benchmarks.data import data_folder

PHASE = "single_phase_probability"
PUBLISHED_FEATURES = ["k", "vm", "tm", "vac", "delta", "delta_chi", "delta_s_mix", "delta_h_mix"]


@dataclass(frozen=True)
class Split:
    """Row numbers. Labels of ``unlabelled``, ``validation`` and ``test`` are never trained on."""

    labelled: np.ndarray
    unlabelled: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    @property
    def training(self) -> np.ndarray:
        """Return the rows whose compositions are trained on."""
        return np.concatenate([self.labelled, self.unlabelled])

    @property
    def held_out(self) -> np.ndarray:
        """Return the rows whose labels are not trained on."""
        return np.concatenate([self.unlabelled, self.validation, self.test])


@dataclass(frozen=True)
class Alloys:
    """All 1,373 alloys of both published tables."""

    elements: tuple[str, ...]
    fractions: np.ndarray
    """Atomic fractions, shape (n, e)."""
    labels: np.ndarray
    """1 for a single phase, shape (n,)."""
    published: np.ndarray
    """The eight published features, shape (n, 8)."""

    @cached_property
    def materials(self) -> tuple[Composition, ...]:
        """Return the alloys as materials."""
        return tuple(
            Composition({el: x for el, x in zip(self.elements, row, strict=True) if x > 0})
            for row in self.fractions
        )

    @cached_property
    def magpie(self) -> np.ndarray:
        """Return matminer's Magpie features beside the published eight, shape (n, 140)."""
        featurizer = ElementProperty.from_preset("magpie", impute_nan=False)
        rows = [featurizer.featurize(material) for material in self.materials]
        return np.column_stack([np.array(rows), self.published])

    def dataset(self, split: Split, labelled: np.ndarray | None = None) -> Dataset:
        """Return a split's training rows; only ``labelled`` of them have their labels."""
        rows = split.training
        known = np.isin(rows, split.labelled if labelled is None else labelled)
        labels = np.where(known, self.labels[rows], np.nan)[:, None]
        return Dataset(
            tuple(self.materials[i] for i in rows), (PHASE,), labels, np.zeros(len(rows), bool)
        )


def read_alloys() -> Alloys:
    """Read both tables: comments left out, duplicates dropped, joined on the formula."""
    folder = data_folder() / "hea"
    compositions, features = (
        _read(folder / f"HEA_{n}.csv") for n in ("top30_comps", "feature_engineered")
    )
    joined = compositions.merge(features, on="Alloys", suffixes=("", "_again"))
    elements = tuple(compositions.columns[2:])
    return Alloys(
        elements=elements,
        fractions=joined[list(elements)].to_numpy(float),
        labels=joined["Class"].to_numpy(float),
        published=joined[PUBLISHED_FEATURES].to_numpy(float),
    )


def split_of(n: int, seed: int, *, few: bool = False) -> Split:
    """Return the published way to split n rows: of 1,373, 864/296/75/138.

    With few labels, 247 of the same training rows keep theirs; the test rows are the same.
    """
    training, test = train_test_split(np.arange(n), test_size=0.1, random_state=seed)
    labelled, rest = train_test_split(training, test_size=0.8 if few else 0.3, random_state=seed)
    unlabelled, validation = train_test_split(rest, test_size=0.2, random_state=seed)
    return Split(labelled, unlabelled, validation, test)


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, comment="#").drop_duplicates("Alloys")
