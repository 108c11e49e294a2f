"""Curves, bands and the number of labels to a target, against hand-made cases and NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloop.loop.compare.statistics.curves import (
    NEVER,
    Band,
    band_of,
    best_so_far,
    count_so_far,
    labels_to_reach,
    quantile,
)

NONE = -np.inf


def test_failed_and_infeasible_labels_are_never_the_best() -> None:
    assert best_so_far([None, 3.0, None, 2.0, 5.0]).tolist() == [NONE, 3.0, 3.0, 3.0, 5.0]
    assert best_so_far([]).tolist() == []


def test_labels_to_reach_a_target() -> None:
    curve = best_so_far([None, 3.0, 4.0, 4.0])
    assert labels_to_reach(curve, 3.0) == 2
    assert labels_to_reach(curve, 3.5) == 3
    assert labels_to_reach(curve, 4.1) == NEVER
    assert count_so_far([None, 3.0, 4.0, 4.0], 3.5).tolist() == [0, 0, 1, 2]


def test_a_band_ends_with_the_shortest_run() -> None:
    curves = [np.array([1.0, 2.0, 9.0]), np.array([3.0, 4.0])]
    assert band_of(curves, Band.QUARTILES).middle.tolist() == [2.0, 3.0]
    assert band_of(curves, Band.QUARTILES).low.tolist() == [1.5, 2.5]


def test_a_standard_error() -> None:
    found = band_of([np.array([1.0]), np.array([2.0]), np.array([6.0])], Band.STANDARD_ERROR)
    error = np.std([1, 2, 6], ddof=1) / np.sqrt(3)
    assert found.middle[0] == pytest.approx(3.0)
    assert found.high[0] - 3.0 == pytest.approx(error)
    assert 3.0 - found.low[0] == pytest.approx(error)


def test_a_median_is_known_once_most_runs_have_a_feasible_label() -> None:
    curves = [np.array([NONE, NONE]), np.array([NONE, 1.0]), np.array([2.0, 2.0])]
    middle = band_of(curves, Band.QUARTILES).middle
    assert np.isnan(middle[0])
    assert middle[1] == 1.0
    assert np.isnan(band_of(curves, Band.STANDARD_ERROR).middle).all()


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), st.sampled_from([0.0, 0.25, 0.5, 0.75])
)
def test_quantiles_are_numpys(values: list[float], q: float) -> None:
    array = np.array(values)[:, None]
    assert quantile(array, q)[0] == pytest.approx(float(np.quantile(values, q)), abs=1e-9)
