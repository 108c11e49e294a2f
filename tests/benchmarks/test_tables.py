"""The benchmarks over tables: what is counted, and the baselines."""

import numpy as np
import pytest
from scipy.stats import nhypergeom

from benchmarks.search.baselines.table_baselines import Choose, gaussian_process, random_forest, run
from benchmarks.search.binaries import AT, TOP, factors, random_labels
from benchmarks.search.oer import BATCH, INITIAL, labels_to_best

GRID = np.array([(i, j, 20 - i - j) for i in range(21) for j in range(21 - i)]) / 20
VALUES = -((GRID - np.array([0.6, 0.3, 0.1])) ** 2).sum(axis=1)


@pytest.mark.parametrize("choose", [gaussian_process, random_forest])
def test_a_baseline_finds_the_best_of_an_easy_table_and_measures_nothing_twice(
    choose: Choose,
) -> None:
    first = np.random.default_rng(4).permutation(len(GRID))[:12].tolist()
    rows = run(choose, GRID, VALUES, first, batch=6, labels=60, seed=1)
    assert rows[:12].tolist() == first
    assert len(set(rows.tolist())) == 60
    assert VALUES[rows].max() >= -0.005 - 1e-9  # the best, or one of its six neighbours
    at_random = np.random.default_rng(5).permutation(len(GRID))[:60]
    assert np.sort(VALUES[rows])[-10:].mean() > np.sort(VALUES[at_random])[-10:].mean()


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (0, INITIAL),
        (INITIAL - 1, INITIAL),
        (INITIAL, INITIAL + BATCH),
        (INITIAL + BATCH - 1, INITIAL + BATCH),
        (INITIAL + BATCH, INITIAL + 2 * BATCH),
        (None, 64 + BATCH),
    ],
)
def test_labels_to_the_best_are_whole_batches(place: int | None, expected: int) -> None:
    regrets = np.ones(64)
    if place is not None:
        regrets[place:] = 0.0
    assert labels_to_best(regrets) == expected


@pytest.mark.parametrize(("n", "top", "wanted"), [(100, 7, 3), (3953, 40, 20), (9, 8, 4)])
def test_labels_of_random_choice_are_the_mean_of_the_negative_hypergeometric(
    n: int, top: int, wanted: int
) -> None:
    misses = nhypergeom.mean(n, n - top, wanted)  # before the wanted-th hit
    assert random_labels(n, top, wanted) == pytest.approx(wanted + misses)


def test_factors_of_runs_whose_hits_are_known() -> None:
    moduli = np.arange(4000.0)  # the best are the last
    best, rest = np.arange(3999, 3959, -1), np.arange(3000)
    ours = np.concatenate([rest[:20], best, rest[20:200]])  # half of the best by label 40
    forest = np.concatenate([rest[:60], best[:20], rest[60:200]])  # by label 80
    found = factors(moduli, [ours, ours], [forest, forest], [1, 2])
    assert found["binaries_forest_af_50"] == 80 / 40
    assert found["binaries_af_50"] == pytest.approx(20 * 4001 / 41 / 40)
    assert found["binaries_forest_ef_100"] == 2.0
    assert found["binaries_ef_100"] == pytest.approx(TOP / (AT * TOP / 4000))
    assert found["binaries_labels_to_stiffest_median"] == 21
