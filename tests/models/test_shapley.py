"""Shapley values by permutations equal those by the definition, and shap's."""

import itertools
import math

import numpy as np
import pytest

from alloop.models.shapley import FloatArray, shapley_values

RNG = np.random.default_rng(4)
INPUTS, BACKGROUND = RNG.normal(size=(5, 4)), RNG.normal(size=(7, 4))


def linear(x: FloatArray) -> FloatArray:
    return np.asarray(x @ np.array([2.0, -1.0, 0.5, 0.0]) + 3.0)


def pairs(x: FloatArray) -> FloatArray:
    return np.asarray(x[:, 0] * x[:, 1] + np.sin(x[:, 2]) - x[:, 1] * x[:, 3])


def triple(x: FloatArray) -> FloatArray:
    return np.asarray(x[:, 0] * x[:, 1] * x[:, 2] + x[:, 3] ** 2)


def by_definition(function: object, row: FloatArray) -> list[float]:
    """Sum over all subsets of the others (Shapley 1953), absent inputs from the background."""
    m = len(row)

    def value(present: tuple[int, ...]) -> float:
        rows = BACKGROUND.copy()
        rows[:, list(present)] = row[list(present)]
        return float(function(rows).mean())  # type: ignore[operator]

    found = []
    for i in range(m):
        others = [j for j in range(m) if j != i]
        total = 0.0
        for size in range(m):
            weight = math.factorial(size) * math.factorial(m - size - 1) / math.factorial(m)
            for subset in itertools.combinations(others, size):
                total += weight * (value((*subset, i)) - value(subset))
        found.append(total)
    return found


def test_of_a_linear_function_each_is_the_slope_times_the_distance_from_the_mean() -> None:
    found = shapley_values(linear, INPUTS, BACKGROUND, n_permutations=1, seed=0)
    slopes = np.array([2.0, -1.0, 0.5, 0.0])
    np.testing.assert_allclose(found, slopes * (INPUTS - BACKGROUND.mean(axis=0)), atol=1e-12)


def test_one_permutation_and_its_reverse_are_exact_where_inputs_act_in_pairs() -> None:
    found = shapley_values(pairs, INPUTS, BACKGROUND, n_permutations=1, seed=2)
    expected = [by_definition(pairs, row) for row in INPUTS]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_more_permutations_come_near_to_the_definition_and_always_add_up() -> None:
    found = shapley_values(triple, INPUTS, BACKGROUND, n_permutations=400, seed=1)
    expected = np.array([by_definition(triple, row) for row in INPUTS])
    np.testing.assert_allclose(found, expected, atol=0.15 * np.abs(expected).max())
    total = triple(INPUTS) - triple(BACKGROUND).mean()
    np.testing.assert_allclose(found.sum(axis=1), total, atol=1e-12)


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # its older matplotlib's
def test_shap_gives_the_same() -> None:
    import shap  # noqa: PLC0415 (compiles for seconds)

    explainer = shap.ExactExplainer(triple, shap.maskers.Independent(BACKGROUND))
    theirs = explainer(INPUTS).values
    ours = shapley_values(triple, INPUTS, BACKGROUND, n_permutations=2000, seed=1)
    np.testing.assert_allclose(ours, theirs, atol=0.05 * np.abs(theirs).max())
