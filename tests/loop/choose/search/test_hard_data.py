"""Surrogates on data as they come: the same point twice, values missing, a label gone astray."""

from collections.abc import Iterator

import numpy as np
import pytest

from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.search.gaussian.process import GaussianProcess
from alloop.loop.state.outliers import winsorised
from tests.loop.choose.search.toy import grid, labelled, surrogates_on


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with single_threaded():
        yield


def test_of_equal_points_with_different_values_the_mean_is_expected_and_the_scatter_is_noise() -> (
    None
):
    x = np.repeat(grid(9), 8, axis=0)
    rng = np.random.default_rng(4)
    y = 180 + 10 * x[:, 0] + rng.normal(0.0, 2.0, len(x))
    found = GaussianProcess.fit(x, y)
    mean, std = found.predict(grid(9))
    # The mean of eight values with a scatter of 2 is known to 2 / √8; a line through all, better.
    assert np.abs(mean - (180 + 10 * grid(9)[:, 0])).max() < 2.0
    assert std == pytest.approx(np.full(9, 2.0), rel=0.3)
    assert np.isfinite(found.log_evidence)


def test_a_constant_objective_is_expected_to_stay_so() -> None:
    found = GaussianProcess.fit(grid(), np.full(21, 200.0))
    mean, std = found.predict(grid(5))
    assert mean == pytest.approx(np.full(5, 200.0), abs=1e-6)
    assert np.isfinite(std).all()
    assert (std > 0).all()


def test_properties_known_of_different_points_are_each_learnt_from_their_own() -> None:
    x = grid(41)
    whole = labelled(x)
    partial = whole.copy()
    partial[::2, 1] = np.nan  # every other formation energy is still missing
    found = surrogates_on(x, partial).predict(grid(10))
    mean, _ = found.of("formation_energy_per_atom")
    assert mean == pytest.approx(0.2 * grid(10)[:, 0], abs=2e-3)
    all_known = surrogates_on(x, whole).predict(grid(10))
    np.testing.assert_allclose(found.of("bulk_modulus")[0], all_known.of("bulk_modulus")[0])


def test_a_label_of_1e12_does_not_hide_what_the_others_say() -> None:
    x = grid(41)
    y = labelled(x)[:, :1]
    astray = y.copy()
    astray[3] = 1e12
    found = surrogates_on(x, winsorised(astray)).predict(grid(10)).of("bulk_modulus")[0]
    truth = labelled(grid(10))[:, 0]
    assert np.corrcoef(found, truth)[0, 1] > 0.9
    assert np.abs(found - truth).max() < 0.3 * np.ptp(y)
