"""The rows that tell most of a property."""

import numpy as np

from alloop.loop.choose.telling_rows import telling_rows


def test_all_rows_with_a_value_are_told_where_there_are_few() -> None:
    values = np.array([1.0, np.nan, 3.0])
    assert telling_rows(values, 5).tolist() == [0, 2]


def test_half_of_many_are_the_most_extreme_and_the_rest_are_spread() -> None:
    values = np.concatenate([np.zeros(50), [10.0, np.nan, -10.0], np.zeros(50)])
    rows = telling_rows(values, 4)
    assert len(rows) == 4
    assert {50, 52} <= set(rows.tolist())  # the largest and the smallest
    assert rows.min() < 10
    assert rows.max() > 90
