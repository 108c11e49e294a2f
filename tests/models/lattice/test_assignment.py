import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alloop.models.lattice.assignment import most_probable


@st.composite
def problems(draw):
    n_sites, n_elements = draw(st.integers(1, 6)), draw(st.integers(2, 3))
    values = st.floats(-30, 0, allow_nan=False)
    rows = st.lists(values, min_size=n_elements, max_size=n_elements)
    table = np.array(draw(st.lists(rows, min_size=n_sites, max_size=n_sites)))
    # Bounds around the counts of some decoration can be met.
    some = draw(st.lists(st.integers(0, n_elements - 1), min_size=n_sites, max_size=n_sites))
    counts = np.bincount(some, minlength=n_elements)
    slack = st.integers(0, 2)
    bounds = [(max(0, n - draw(slack)), min(n_sites, n + draw(slack))) for n in counts.tolist()]
    return table, bounds


@given(problems())
@settings(max_examples=150, deadline=None)
def test_no_decoration_within_bounds_is_more_probable(problem):
    table, bounds = problem
    n_sites, n_elements = table.shape
    found = most_probable(table, bounds)
    counts = np.bincount(found, minlength=n_elements)
    assert all(low <= n <= high for n, (low, high) in zip(counts, bounds, strict=True))
    best = max(
        table[range(n_sites), list(choice)].sum()
        for choice in itertools.product(range(n_elements), repeat=n_sites)
        if all(low <= choice.count(el) <= high for el, (low, high) in enumerate(bounds))
    )
    assert np.isclose(table[np.arange(n_sites), found].sum(), best)
