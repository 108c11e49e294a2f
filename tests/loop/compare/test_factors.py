"""Acceleration and enhancement factors by their published definitions."""

import numpy as np
import pytest

from alloop.loop.compare.statistics.curves import NEVER, Band, best_so_far, count_so_far
from alloop.loop.compare.statistics.factors import (
    acceleration,
    enhancement_of_best,
    enhancement_of_found,
)


def step(at: int, length: int) -> np.ndarray:
    """A run that finds the good material with label ``at``."""
    return best_so_far([1.0 if i + 1 == at else 0.0 for i in range(length)])


def test_acceleration_is_the_ratio_of_labels() -> None:
    """Rohr et al. 2020: labels of the baseline over labels of the strategy, at one value."""
    found = acceleration(
        [step(n, 100) for n in (8, 10, 14)], [step(n, 100) for n in (50, 60, 90)], 1
    )
    assert (found.labels, found.baseline_labels) == (10, 60)
    assert found.factor == pytest.approx(6.0)
    assert not found.is_bound


def test_a_baseline_that_never_gets_there_gives_a_lower_bound() -> None:
    found = acceleration([step(10, 50)], [step(99, 80), step(99, 70), step(5, 90)], 1)
    assert found.baseline_labels == NEVER
    assert found.baseline_reached == 1
    assert found.is_bound
    assert found.factor == pytest.approx(7.0)  # the shortest of the baseline's runs has 70 labels


def test_a_strategy_that_never_gets_there_has_no_factor() -> None:
    found = acceleration([step(99, 50)], [step(10, 50)], 1)
    assert found.factor is None
    assert (found.reached, found.baseline_reached) == (0, 1)


def test_random_search_for_one_of_n_takes_half_of_them() -> None:
    """Without replacement, the place of the one good material among N is uniform: its median is
    (N + 1) / 2, and a strategy that finds it at once has AF = (N + 1) / 2."""
    n = 101
    baseline = [step(place, n) for place in range(1, n + 1)]
    assert acceleration([step(1, n)], baseline, 1).factor == pytest.approx((n + 1) / 2)


def test_enhancement_by_what_was_found() -> None:
    """Liang et al. 2021: share of the top found over the baseline's share; the number of the top
    cancels. 6 of 10 against 1 and 2 of 10 are EF 4."""
    ours = count_so_far([1.0] * 6 + [0.0] * 4, 1.0)
    theirs = [count_so_far([1.0] * k + [0.0] * (10 - k), 1.0) for k in (1, 2)]
    assert enhancement_of_found([ours], theirs, 10) == pytest.approx(4.0)
    assert enhancement_of_found([ours], theirs, 1) == pytest.approx(1.0)
    assert enhancement_of_found([ours], [count_so_far([0.0] * 10, 1.0)], 10) is None


def test_enhancement_by_best_values_is_more_than_one_where_better() -> None:
    assert enhancement_of_best([3.0], [2.0], Band.QUARTILES) == pytest.approx(1.5)
    # minimised: 0.2 V against 0.3 V
    assert enhancement_of_best([-0.2], [-0.3], Band.QUARTILES) == pytest.approx(1.5)
    assert enhancement_of_best([1.0], [-1.0], Band.QUARTILES) is None
    assert enhancement_of_best([1.0], [0.0], Band.QUARTILES) is None
    assert enhancement_of_best([-np.inf], [1.0], Band.QUARTILES) is None
