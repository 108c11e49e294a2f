"""Our head against the former one, alloy by alloy, on the 812 alloys that no split tests."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from alloop.models.base import Dataset
from alloop.models.dvae.model import DvaeModel
from benchmarks.dvae.data import PHASE, Alloys, split_of
from benchmarks.dvae.heads import HEAD_ALONE, probabilities

FOLDS = 5
REPEATS = 2
FEW = 186
"""Labelled rows of a fold with few labels: the share of its rows that 247 are of 864."""
RESAMPLINGS = 400
PARTS = ("head", "networks", "randomised", "forests", "boosted")
"""The former head (2 networks, 6 committees of extremely randomised trees, 6 of random forests
on Magpie's descriptors, 6 of boosted trees) and each of its parts on its own."""


def paired_figures(alloys: Alloys, before: Path, tested: tuple[int, ...]) -> dict[str, object]:
    """Return accuracies and AUCs before and after, and their differences, after less before.

    ``mean`` is the difference, ``std`` its paired standard error: of accuracies over alloys, of
    AUCs over 400 resamplings of the alloys.

    Args:
        alloys: all of them.
        before: the former head's probabilities of the 812 alloys in the tables' order, a NumPy
            file with an array of shape (repeats, 812) per part and number of labels, ``head_864``.
        tested: seeds of the splits whose test rows are left out.
    """
    former = np.load(before, allow_pickle=False)
    found: dict[str, object] = {}
    for count in (864, 247):
        ours = np.array(
            [_said(alloys, tested, repeat, few=count == 247) for repeat in range(REPEATS)]
        )
        rows = np.flatnonzero(np.isfinite(ours[0]))
        truth = alloys.labels[rows]
        for part in PARTS:
            theirs = former[f"{part}_{count}"]
            acc, auc = _accuracy(theirs, truth).mean(), _auc(theirs, truth)
            found |= {f"paired_acc_{count}_former_{part}": float(acc)}
            found |= {f"paired_auc_{count}_former_{part}": float(auc)}
            found |= _difference(f"{count}_ours_less_former_{part}", ours[:, rows], theirs, truth)
        found[f"paired_acc_{count}_ours"] = float(_accuracy(ours[:, rows], truth).mean())
        found[f"paired_auc_{count}_ours"] = float(_auc(ours[:, rows], truth))
    return found


def folds(
    alloys: Alloys, tested: tuple[int, ...], repeat: int, *, few: bool
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield number, labelled rows and held-out rows of each fold of the untested alloys."""
    everything = np.arange(len(alloys.labels))
    tests = [split_of(len(everything), seed).test for seed in tested]
    rows = np.setdiff1d(everything, np.concatenate(tests))
    cut = StratifiedKFold(FOLDS, shuffle=True, random_state=100 + repeat)
    for number, (training, held_out) in enumerate(cut.split(rows, alloys.labels[rows])):
        labelled = rows[training]
        if few:
            order = np.random.default_rng(1000 * repeat + number).permutation(labelled)
            labelled = order[:FEW]
        yield number, labelled, rows[held_out]


def _said(alloys: Alloys, tested: tuple[int, ...], repeat: int, *, few: bool) -> np.ndarray:
    """Return our head's probability of each alloy when it was held out, NaN where never, (n,)."""
    said = np.full(len(alloys.labels), np.nan)
    for number, labelled, held_out in folds(alloys, tested, repeat, few=few):
        model = DvaeModel(HEAD_ALONE, alloys.elements, (PHASE,))
        model.fit(
            Dataset(
                tuple(alloys.materials[i] for i in labelled),
                (PHASE,),
                alloys.labels[labelled, None],
                np.zeros(len(labelled), bool),
            ),
            seed=number,
        )
        said[held_out] = probabilities(model, alloys, held_out)
    return said


def _difference(
    name: str, ours: np.ndarray, theirs: np.ndarray, truth: np.ndarray
) -> dict[str, dict[str, float]]:
    gain = _accuracy(ours, truth) - _accuracy(theirs, truth)
    draws = np.random.default_rng(0).integers(0, len(truth), (RESAMPLINGS, len(truth)))
    gains = [_auc(ours[:, i], truth[i]) - _auc(theirs[:, i], truth[i]) for i in draws]
    return {
        f"paired_acc_{name}": {
            "mean": float(gain.mean()),
            "std": float(gain.std(ddof=1) / np.sqrt(len(gain))),
        },
        f"paired_auc_{name}": {
            "mean": float(_auc(ours, truth) - _auc(theirs, truth)),
            "std": float(np.std(gains)),
        },
    }


def _accuracy(said: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return how often each alloy is told right over the repeats, shape (n,)."""
    return np.asarray(((said >= 0.5) == (truth == 1)).mean(0))


def _auc(said: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([roc_auc_score(truth, one) for one in said]))
