"""A label is worth most where members disagree, not where all of them are unsure."""

import math

import numpy as np
import pytest

from models.dvae.asking import diverse_batch, mutual_information


def test_disagreement_is_worth_a_label_and_shared_doubt_is_not() -> None:
    members = np.array([[1.0, 0.5, 0.9], [0.0, 0.5, 0.9]])
    disagreed, doubted, agreed = mutual_information(members)
    assert disagreed == pytest.approx(math.log(2), abs=1e-4)  # one bit
    assert doubted == pytest.approx(0.0, abs=1e-9)
    assert agreed == pytest.approx(0.0, abs=1e-9)


def test_a_batch_spreads_over_equally_good_rows() -> None:
    points = np.array([[0.0], [0.01], [0.02], [5.0], [10.0]])
    scores = np.array([1.0, 0.99, 0.99, 0.8, 0.8])
    assert set(diverse_batch(scores, points, 3)) == {0, 3, 4}


def test_a_batch_is_no_larger_than_what_there_is() -> None:
    assert sorted(diverse_batch(np.zeros(3), np.zeros((3, 1)), 10)) == [0, 1, 2]
