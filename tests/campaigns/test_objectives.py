"""What is wanted of a property, and how far a value is from it."""

from hypothesis import given
from hypothesis import strategies as st

from alloop.campaigns.objectives import Constraint, Objective

NUMBERS = st.floats(-1e6, 1e6)


@given(NUMBERS, NUMBERS)
def test_more_is_better_when_maximising_and_worse_when_minimising(a: float, b: float) -> None:
    up = Objective(property="bulk_modulus", goal="maximise")
    down = Objective(property="bulk_modulus", goal="minimise")
    assert (up.utility(a) > up.utility(b)) == (a > b)
    assert (down.utility(a) > down.utility(b)) == (a < b)


def test_a_window_is_as_good_anywhere_inside_and_worse_by_distance_outside() -> None:
    window = Objective(property="band_gap", goal="window", window=(1.0, 2.0))
    assert [window.utility(x) for x in (1.0, 1.5, 2.0)] == [0.0, 0.0, 0.0]
    assert window.utility(0.75) == -0.25
    assert window.utility(2.5) == -0.5


def test_a_margin_is_the_distance_inside_the_bounds() -> None:
    both = Constraint(property="band_gap", min=1.0, max=3.0)
    assert both.margin(1.5) == 0.5
    assert both.margin(3.0) == 0.0
    assert both.margin(4.0) == -1.0
    assert Constraint(property="band_gap", max=3.0).margin(-100.0) == 103.0
