"""Fronts and hypervolumes are those of BoTorch, of brute force, and of problems with a formula."""

import numpy as np
import pytest
import torch
from botorch.utils.multi_objective.hypervolume import Hypervolume
from botorch.utils.multi_objective.pareto import is_non_dominated
from hypothesis import given
from hypothesis import strategies as st

from alloop.loop.state.ranking.front import (
    contributions,
    crowding_distances,
    front_numbers,
    front_of,
    hypervolume,
)

POINTS = st.integers(2, 4).flatmap(
    lambda m: st.lists(st.tuples(*[st.integers(-2, 5)] * m), min_size=1, max_size=14)
)


@given(POINTS)
def test_the_front_is_botorchs(rows: list[tuple[int, ...]]) -> None:
    points = np.array(rows, dtype=float)
    theirs = is_non_dominated(torch.from_numpy(points), deduplicate=True)
    assert front_of(points).tolist() == np.flatnonzero(theirs.numpy()).tolist()


@given(POINTS)
def test_the_hypervolume_is_botorchs(rows: list[tuple[int, ...]]) -> None:
    points = np.array(rows, dtype=float)
    least = np.zeros(points.shape[1])
    above = points[(points > least).all(axis=1)]
    if not len(above):
        assert hypervolume(points, least.tolist()) == 0.0
        return
    kept = torch.from_numpy(above)
    theirs = Hypervolume(torch.from_numpy(least)).compute(kept[is_non_dominated(kept)])
    assert hypervolume(points, least.tolist()) == pytest.approx(theirs)


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one >= other).all() and (one > other).any())


@given(POINTS)
def test_fronts_are_peeled_off_one_by_one(rows: list[tuple[int, ...]]) -> None:
    points = np.array(rows, dtype=float)
    left, number, expected = set(range(len(points))), 0, {}
    while left:
        front = {
            i
            for i in left
            if not any(
                (points[j] >= points[i]).all() and (points[j] > points[i]).any() for j in left
            )
        }
        expected |= dict.fromkeys(front, number)
        left, number = left - front, number + 1
    assert front_numbers(points).tolist() == [expected[i] for i in range(len(points))]


def test_a_contribution_is_what_is_lost() -> None:
    # Two points with a box of its own each, and one that is dominated.
    points = np.array([[3.0, 1.0], [1.0, 2.0], [0.5, 0.5]])
    assert contributions(points, (0.0, 0.0)).tolist() == [2.0, 1.0, 0.0]


def test_the_hypervolume_of_zdt1_comes_to_its_formula() -> None:
    # Front f2 = 1 - sqrt(f1) of ZDT1 (Zitzler, Deb and Thiele, 2000) under the reference (1, 1):
    # the area above it is the integral of sqrt(f1) from 0 to 1, which is 2/3.
    first = np.linspace(0, 1, 4001)
    points = -np.column_stack([first, 1 - np.sqrt(first)])
    assert hypervolume(points, (-1.0, -1.0)) == pytest.approx(2 / 3, abs=2e-4)


def test_the_hypervolume_of_dtlz2_comes_to_its_formula() -> None:
    # Front of DTLZ2 with three objectives (Deb, Thiele, Laumanns and Zitzler, 2002): an eighth of
    # the unit sphere. Under the reference (1, 1, 1) it dominates 1 - pi / 6.
    theta, phi = np.meshgrid(*[np.linspace(0, np.pi / 2, 25)] * 2)
    sphere = np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)])
    found = hypervolume(-sphere.reshape(3, -1).T, (-1.0, -1.0, -1.0))
    assert found < 1 - np.pi / 6
    assert found == pytest.approx(1 - np.pi / 6, abs=0.06)


def test_crowding_is_as_in_nsga_ii() -> None:
    # Deb et al. 2002, section III-B: the ends are infinite, others the sides of the cuboid.
    points = np.array([[0.0, 4.0], [1.0, 2.0], [2.0, 1.0], [4.0, 0.0]])
    found = crowding_distances(points)
    assert np.isinf(found[[0, 3]]).all()
    assert found[1:3] == pytest.approx([2 / 4 + 3 / 4, 3 / 4 + 2 / 4])
