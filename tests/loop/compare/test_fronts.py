"""Fronts and hypervolumes by hand, and label by label as at once."""

import numpy as np
import pytest
import torch
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from hypothesis import given
from hypothesis import strategies as st

from alloop.loop.compare.statistics.fronts import inferred_reference
from alloop.loop.state.ranking.front import front_of, hypervolume, hypervolume_so_far


def test_hypervolumes_by_hand() -> None:
    assert hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), (0.0, 0.0)) == pytest.approx(3.0)
    # three boxes of volume 3 that share pairwise, and all three, the unit cube: 9 - 3 + 1
    boxes = np.array([[3.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 3.0]])
    assert hypervolume(boxes, (0.0, 0.0, 0.0)) == pytest.approx(7.0)
    assert hypervolume(boxes, (5.0, 5.0, 5.0)) == 0.0
    assert hypervolume(np.empty((0, 2)), (0.0, 0.0)) == 0.0


def test_a_front_keeps_what_nothing_dominates_and_equal_points_once() -> None:
    points = np.array([[1.0, 2.0], [0.5, 2.0], [2.0, 1.0], [1.0, 2.0], [0.0, 0.0]])
    assert front_of(points).tolist() == [0, 2]


def test_failed_labels_leave_the_hypervolume_as_it_is() -> None:
    curve = hypervolume_so_far([None, (1.0, 1.0), None, (2.0, 0.5), (0.5, 0.5)], (0.0, 0.0))
    assert curve.tolist() == [0.0, 1.0, 1.0, 1.5, 1.5]


@given(st.lists(st.tuples(*[st.integers(-3, 6)] * 3), min_size=1, max_size=12))
def test_label_by_label_is_as_at_once(points: list[tuple[int, int, int]]) -> None:
    array, least = np.array(points, dtype=float), (0.0, 0.0, 0.0)
    curve = hypervolume_so_far([tuple(row) for row in array], least)
    whole = [hypervolume(array[: i + 1], least) for i in range(len(array))]
    assert curve == pytest.approx(whole)


def test_the_inferred_reference_is_a_tenth_of_the_range_below_the_front() -> None:
    points = np.array([[10.0, 0.0], [0.0, 10.0], [-50.0, -50.0]])
    assert inferred_reference(points) == pytest.approx((-1.0, -1.0))
    assert inferred_reference(np.array([[1.0, 1.0], [0.0, -1.0]])) == pytest.approx((0.9, 0.8))


def test_it_is_botorchs_rule() -> None:
    points = np.random.default_rng(0).normal(size=(40, 2))
    theirs = infer_reference_point(torch.as_tensor(points[front_of(points)]))
    assert inferred_reference(points) == pytest.approx(theirs.tolist())
