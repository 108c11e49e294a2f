"""A label far outside all others decides no fit alone, and is named."""

import numpy as np
import pytest

from alloop.canonical import sha256
from alloop.loop.record.events import Stage
from alloop.loop.state.calibration import search_warnings
from alloop.loop.state.outliers import bounds_of, outlying_labels, winsorised
from tests.loop.told import SPEC, Told

ONE_TIER = {
    "tiers": SPEC["tiers"][:1],
    "budget": {"initial": 2, "rounds": 3, "measurements": [100]},
}


def told(*extra: float) -> Told:
    story = Told(ONE_TIER)
    values = {f"{i}:Ni8Fe8": (196.0 + i, 0.0) for i in range(9)}
    values |= {f"x{i}:NiFe15": (value, 0.0) for i, value in enumerate(extra)}
    story.measure(0, Stage.INITIAL, values)
    return story


def test_the_bounds_are_fifty_robust_standard_deviations_from_the_median() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(200.0, 3.0, 20_001)
    low, high = bounds_of(values.tolist())
    # The median absolute deviation of a normal distribution is 0.6745 standard deviations.
    assert low == pytest.approx(200 - 50 * 3.0, rel=0.05)
    assert high == pytest.approx(200 + 50 * 3.0, rel=0.01)


def test_a_label_of_1e12_among_others_of_200_is_held_back_and_said() -> None:
    story = told(1e12)
    (label,) = outlying_labels(story.state)
    assert (label.property_name, label.value) == ("bulk_modulus", 1e12)
    (warning,) = search_warnings(story.state)
    assert sha256("x0:NiFe15")[:10] in warning
    assert "is 1e+12 GPa, far outside all other labels" in warning
    assert story.state.recorded, "and the record keeps it"
    assert max(m.properties["bulk_modulus"] for m in story.state.answers()) == 1e12


def test_held_back_values_are_those_of_the_nearest_that_are_not() -> None:
    values = np.array([*range(196, 205), 1e12, -1e9, np.nan], dtype=float)[:, None]
    held = winsorised(values)[:, 0]
    assert held[9] == 204.0
    assert held[10] == 196.0
    assert np.isnan(held[11])
    np.testing.assert_array_equal(held[:9], values[:9, 0])
    assert values[9, 0] == 1e12, "the values given are not changed"


def test_equal_labels_have_bounds_too() -> None:
    values = np.array([[200.0]] * 9 + [[1e12]])
    np.testing.assert_array_equal(winsorised(values), 200.0)


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 20 + [1.0],  # a rare yes
        [*np.linspace(180.0, 184.0, 20), 199.0],  # a search that got far
        [1.0, 1e12],  # too few to tell
    ],
)
def test_what_may_well_be_true_is_left_as_it_is(values: list[float]) -> None:
    column = np.array(values)[:, None]
    np.testing.assert_array_equal(winsorised(column), column)
