"""Scores against the textbook's expected improvement and the normal distribution."""

import mpmath
import numpy as np
import pytest
from scipy.stats import norm

from alloop.campaigns.objectives import Constraint, Objective
from alloop.loop.choose.search.score import (
    ImprovementScore,
    Marginals,
    log_expected_improvement,
    log_feasibility,
)

K, E = "bulk_modulus", "formation_energy_per_atom"


def marginals(mean: list[list[float]], std: list[list[float]]) -> Marginals:
    return Marginals((K, E), np.array(mean), np.array(std))


@pytest.mark.parametrize("u", [5.0, 1.0, 0.0, -0.99, -1.01, -3.0, -30.0, -49.9, -50.1, -300.0])
def test_the_logarithm_of_the_improvement_is_right_in_both_tails(u: float) -> None:
    mpmath.mp.dps = 60
    exact = mpmath.log(mpmath.npdf(u) + mpmath.mpf(u) * mpmath.ncdf(u))
    found = log_expected_improvement(np.array([u * 0.5 + 7]), np.array([0.5]), 7.0)[0]
    assert found == pytest.approx(float(exact) + np.log(0.5), rel=1e-6, abs=2e-3)


def test_feasibility_is_the_normal_probability_of_both_bounds() -> None:
    of = marginals([[180.0, 0.1], [180.0, 0.0]], [[1.0, 0.02], [2.0, 0.05]])
    both = Constraint(property=E, min=-0.02, max=0.08)
    expected = norm.cdf((0.08 - of.mean[:, 1]) / of.std[:, 1])
    expected -= norm.cdf((-0.02 - of.mean[:, 1]) / of.std[:, 1])
    assert np.exp(log_feasibility(of, [both])) == pytest.approx(expected)


def test_without_a_feasible_label_it_looks_for_feasibility() -> None:
    score = ImprovementScore(
        (Objective(property=K, goal="maximise"),), (1.0,), (Constraint(property=E, max=0.0),), None
    )
    of = marginals([[200.0, 0.3], [150.0, 0.1]], [[1.0, 0.1], [1.0, 0.1]])
    assert score(of)[1] > score(of)[0]


def test_a_window_is_the_better_the_nearer_and_finite_far_away() -> None:
    score = ImprovementScore(
        (Objective(property=E, goal="window", window=(0.05, 0.06)),), (1.0,), (), -0.02
    )
    of = marginals([[0.0, 0.055], [0.0, 0.09], [0.0, 3.0]], [[1.0, 0.01]] * 3)
    found = score(of)
    assert found[0] > found[1] > found[2]
    assert np.isfinite(found).all()


def test_minimising_is_maximising_the_opposite() -> None:
    of = marginals([[180.0, 0.1], [183.0, 0.1]], [[1.0, 0.1]] * 2)
    opposite = marginals([[-180.0, 0.1], [-183.0, 0.1]], [[1.0, 0.1]] * 2)
    up = ImprovementScore((Objective(property=K, goal="maximise"),), (1.0,), (), 181.0)
    down = ImprovementScore((Objective(property=K, goal="minimise"),), (1.0,), (), 181.0)
    assert down(opposite) == pytest.approx(up(of))
