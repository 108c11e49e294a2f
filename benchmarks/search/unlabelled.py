"""What rows without a label are worth to the DVAE: with and without them, identical heads.

The published alloys in the paper's split: 247 or 864 keep their labels, the other training rows
lose theirs or are left out. Accuracy and area under the curve of the phase on the test rows, and
the error of reconstructing these, percent. The paper reports an accuracy of 0.841 with and 0.826
without.
"""

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from alloop.models.base import Dataset
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.options import DvaeOptions
from benchmarks.dvae.data import PHASE, Alloys, read_alloys, split_of
from benchmarks.dvae.generator import reconstruction
from benchmarks.dvae.heads import probabilities, scores

SEEDS = (0, 1, 2, 3, 4)
"""Seeds of the splits, those of `benchmarks.dvae`."""


def measure(seeds: Sequence[int] = SEEDS, options: DvaeOptions | None = None) -> dict[str, float]:
    """Return means over the splits, with and without unlabelled rows, and their differences."""
    alloys, options = read_alloys(), options or DvaeOptions()
    figures: dict[str, float] = {}
    for count in (247, 864):
        found = {
            word: [_figures(alloys, options, seed, count, keep=keep) for seed in seeds]
            for word, keep in (("with", True), ("without", False))
        }
        for figure in found["with"][0]:
            values = {word: [each[figure] for each in rows] for word, rows in found.items()}
            pairs = zip(values["with"], values["without"], strict=True)
            differences = [a - b for a, b in pairs]
            name = f"unlabelled_{count}_{figure}"
            figures |= {f"{name}_{word}": fmean(each) for word, each in values.items()}
            figures[f"{name}_gain"] = fmean(differences)
            figures[f"{name}_gain_std"] = float(np.std(differences))
    return figures


def _figures(
    alloys: Alloys, options: DvaeOptions, seed: int, count: int, *, keep: bool
) -> dict[str, float]:
    split = split_of(len(alloys.labels), seed, few=count == 247)
    data = alloys.dataset(split)
    model = DvaeModel(options, alloys.elements, (PHASE,))
    model.fit(data if keep else labelled_rows(data), seed=seed)
    said = probabilities(model, alloys, split.test)
    found = scores("phase", alloys.labels[split.test], said)
    return found | reconstruction(model, alloys, split.test)


def labelled_rows(data: Dataset) -> Dataset:
    """Return the rows that have a label."""
    return data.take(np.flatnonzero(np.isfinite(data.labels).any(axis=1)))
