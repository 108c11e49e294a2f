"""Surrogates against their definitions, and the choice among them."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import gamma, lognorm, multivariate_normal

from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.search.base import Standardisation
from alloop.loop.choose.search.gaussian.covariance import Bend, Covariance
from alloop.loop.choose.search.gaussian.fit import FitTask
from alloop.loop.choose.search.gaussian.process import MAX_ROWS, GaussianProcess
from tests.loop.choose.search.toy import grid, labelled, surrogates_on


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with single_threaded():
        yield


RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 5))
WEIGHTS = np.array([2.0, -1.0, 0.5, 0.0, 0.0])


def test_a_linear_function_is_found_with_its_noise() -> None:
    y = 180 + X @ WEIGHTS + 0.1 * RNG.normal(size=60)
    found = GaussianProcess.fit(X, y)
    fresh = RNG.normal(size=(500, 5))
    mean, std = found.predict(fresh)
    truth = 180 + fresh @ WEIGHTS + 0.1 * RNG.normal(size=500)
    assert np.abs(mean - truth).mean() == pytest.approx(0.08, abs=0.03)  # 0.1 √(2 / π)
    assert np.mean(np.abs(mean - truth) < 1.2816 * std) == pytest.approx(0.8, abs=0.1)


def test_leave_one_out_is_what_leaving_out_gives() -> None:
    y = 180 + X @ WEIGHTS + 0.5 * np.sin(3 * X[:, 1])
    found = GaussianProcess.fit(X, y)
    z, t = found.rows, found.scaling.values(y) - found.covariance.mean
    densities = []
    for row in range(60):
        kept = np.arange(60) != row
        noisy = found.covariance(z[kept], z[kept]) + found.covariance.noise * np.eye(59)
        cross = found.covariance(z[row : row + 1], z[kept])
        mean = cross @ np.linalg.solve(noisy, t[kept])
        explained = cross @ np.linalg.solve(noisy, cross.T)
        variance = found.covariance.variance(z[row : row + 1]) - explained[0, 0]
        variance = float(variance[0]) + found.covariance.noise
        densities.append(-0.5 * (np.log(2 * np.pi * variance) + (t[row] - mean[0]) ** 2 / variance))
    expected = np.mean(densities) - np.log(found.scaling.value_std)
    assert found.log_evidence == pytest.approx(expected, abs=1e-6)


def test_the_density_that_is_climbed_is_the_posterior_s_with_its_slopes() -> None:
    y = X @ WEIGHTS / 3 + 0.3 * np.sin(3 * X[:, 0])
    own = np.where(np.arange(60) == 7, 0.5, 0.0)
    task = FitTask(X, y, own, [slice(0, 2), slice(2, 5)], [slice(0, 5)])

    def density(values: FloatArray) -> float:
        first, second, variance, length, noise = values
        bend = Bend(slice(0, 5), variance, length)
        linear = np.repeat([first, second], [2, 3])
        prior = Covariance(linear, (bend,), noise, task.mean(np.log(values)))
        around = multivariate_normal(np.full(60, prior.mean), prior(X, X) + np.diag(noise + own))
        return -(
            around.logpdf(y)
            + gamma(1.1, scale=5).logpdf([first, second]).sum()
            + gamma(1.1, scale=2).logpdf(variance)
            + lognorm(1).logpdf(length)
            + lognorm(2, scale=np.exp(-5)).logpdf(noise)
        )

    here, there = np.array([0.7, 0.3, 0.2, 1.5, 0.02]), np.array([1.9, 0.1, 0.6, 0.8, 0.1])
    found, slopes = task(np.log(here))
    assert found - task(np.log(there))[0] == pytest.approx(density(here) - density(there))
    assert slopes == pytest.approx(approx_fprime(np.log(here), lambda x: task(x)[0]), rel=1e-4)


def test_labels_unlike_all_others_do_not_blur_the_rest() -> None:
    y = 180 + X @ WEIGHTS
    odd = y.copy()
    odd[[5, 40]] -= [60.0, 25.0]
    fresh = RNG.normal(size=(200, 5))
    mean, std = GaussianProcess.fit(X, odd).predict(fresh)
    whole, usual = GaussianProcess.fit(X, y).predict(fresh)
    assert np.abs(mean - (180 + fresh @ WEIGHTS)).mean() < 0.2
    assert np.median(std) < 0.5, "sixty labels, of which two are off, say nearly all"
    assert np.abs(whole - mean).mean() < 0.2
    assert (usual <= 1.5 * std).all()


@pytest.mark.parametrize("bends_all", [False, True])
def test_the_joint_posterior_has_the_marginals(bends_all: bool) -> None:
    y = 180 + X @ WEIGHTS + 0.3 * np.sin(3 * X[:, 0])
    found = GaussianProcess.fit(X, y, (2, 3), bends_all=bends_all)
    assert len(found.covariance.bends) == 1 + bends_all
    fresh = RNG.normal(size=(7, 5))
    mean, covariance = found.joint(fresh)
    alone, std = found.predict(fresh)
    assert mean == pytest.approx(alone, abs=1e-6)
    assert (np.diagonal(covariance) < std**2).all()  # the noise is left out
    assert np.linalg.eigvalsh(covariance).min() > -1e-8 * covariance.max()


def test_kinds_of_descriptors_have_variances_of_their_own() -> None:
    # A hundred descriptors that say nothing do not hide the two that say everything.
    x = np.hstack([X[:, :2], RNG.normal(size=(60, 100))])
    y = 180 + 2 * X[:, 0] - X[:, 1]
    fresh = RNG.normal(size=(200, 102))
    truth = 180 + 2 * fresh[:, 0] - fresh[:, 1]
    apart = GaussianProcess.fit(x, y, (2, 100)).predict(fresh)[0]
    together = GaussianProcess.fit(x, y).predict(fresh)[0]
    assert np.abs(apart - truth).mean() < 0.2 * np.abs(together - truth).mean()


def test_a_bent_function_is_left_to_the_gaussian_process_and_a_straight_one_is_not_lost() -> None:
    x = grid(25)
    bent = surrogates_on(x, 180 + np.sin(9 * x))
    assert bent.chosen[0].name == "amounts, gaussian process"
    assert set(bent.chosen[0].evidence) == {"amounts, gaussian process"}
    fresh = np.array([[0.37], [0.81]])
    straight = surrogates_on(x, 180 + 2 * x)
    assert straight.predict(fresh).mean[:, 0] == pytest.approx(180 + 2 * fresh[:, 0], abs=0.01)


def test_each_property_has_its_own_surrogate_and_recalibration_widens_it() -> None:
    x = grid(25)
    once, twice = surrogates_on(x, labelled(x)), surrogates_on(x, labelled(x), scale=2.0)
    one, two = once.predict(x[::7]), twice.predict(x[::7])
    assert two.std == pytest.approx(2 * one.std)
    assert two.mean == pytest.approx(one.mean)
    assert one.of("formation_energy_per_atom")[0] == pytest.approx(0.2 * x[::7, 0], abs=1e-3)


def test_missing_values_are_left_out_of_their_property_alone() -> None:
    x = grid(25)
    y = labelled(x)
    y[::2, 1] = np.nan
    found = surrogates_on(x, y)
    assert np.isfinite(found.predict(x).mean).all()
    assert found.predict(x).mean[:, 1] == pytest.approx(0.2 * x[:, 0], abs=5e-3)


def test_many_labels_are_thinned_to_the_telling_ones() -> None:
    x = RNG.normal(size=(MAX_ROWS + 500, 2))
    y = x[:, 0] + 0.1 * RNG.normal(size=len(x))
    y[17] = 30.0
    found = GaussianProcess.fit(x, y)
    assert len(found.rows) == MAX_ROWS
    assert (found.rows == found.scaling.features(x[17:18]) * found.weights).all(axis=1).any()


def test_constant_descriptors_and_values_do_no_harm() -> None:
    x = np.hstack([X, np.full((60, 1), 4.0)])
    scaling = Standardisation.of(x, np.full(60, 180.0))
    assert scaling.varies.tolist() == [True] * 5 + [False]
    mean, std = GaussianProcess.fit(x, np.full(60, 180.0)).predict(x)
    assert mean == pytest.approx(180.0)
    assert np.isfinite(std).all()


def test_rounding_of_single_precision_is_no_descriptor() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(12, 3))
    y = 180 + 3 * x[:, 0]
    rounding = 0.25 + 1.6e-9 * rng.choice([-1.0, 1.0], size=12)
    gp = GaussianProcess.fit(np.column_stack([x, rounding]), y)
    mean, std = gp.predict(np.array([[0.0, 0.0, 0.0, 0.29]]))
    assert abs(mean[0] - 180) < 1
    assert std[0] < 3
