"""SHAP values of a model's descriptors are Shapley's, by their definition."""

import itertools
import math

import numpy as np
from pymatgen.core import Composition

from alloop.models.explanation import Explanation, FloatArray, shap_explanation

RNG = np.random.default_rng(4)
INPUTS, BACKGROUND = RNG.normal(size=(5, 4)), RNG.normal(size=(7, 4))


def triple(x: FloatArray) -> FloatArray:
    return np.asarray(x[:, 0] * x[:, 1] * x[:, 2] + x[:, 3] ** 2)


def explained(seed: int) -> Explanation:
    return shap_explanation(
        triple,
        property_name="p",
        materials=[Composition("Fe")] * len(INPUTS),
        names="abcd",
        descriptors=INPUTS,
        inputs=INPUTS,
        background=BACKGROUND,
        seed=seed,
    )


def by_definition(row: FloatArray) -> list[float]:
    """Sum over all subsets of the others (Shapley 1953), absent inputs from the background."""
    m = len(row)

    def value(present: tuple[int, ...]) -> float:
        rows = BACKGROUND.copy()
        rows[:, list(present)] = row[list(present)]
        return float(triple(rows).mean())

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


def test_they_are_those_by_the_definition_and_add_up() -> None:
    found = explained(seed=0)
    np.testing.assert_allclose(found.shap_values, [by_definition(row) for row in INPUTS], atol=1e-9)
    np.testing.assert_allclose(found.shap_values.sum(axis=1), found.values - found.base, atol=1e-12)


def test_numpys_own_random_numbers_go_on_as_before() -> None:
    np.random.seed(7)
    expected = np.random.random(3)
    np.random.seed(7)
    explained(seed=1)
    assert np.array_equal(np.random.random(3), expected)
