"""The line from a lower tier to a higher one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress, t

from alloop.loop.choose.fidelity import (
    composed,
    fit_fidelity_map,
    maps_to_top_tier,
    propagate_posterior,
)
from alloop.loop.record.events import Posterior, Stage
from tests.loop.told import Told


def test_with_many_pairs_it_is_the_line_of_least_squares() -> None:
    rng = np.random.default_rng(1)
    cheap = rng.normal(180, 8, 300)
    dear = 1.3 * cheap - 40 + rng.normal(0, 2, 300)
    found = fit_fidelity_map(cheap, dear, spread=8.0)
    expected = linregress(cheap, dear)
    offset, slope = found.line
    assert slope == pytest.approx(expected.slope, abs=0.01)
    assert offset + slope * 180 == pytest.approx(expected.intercept + expected.slope * 180, abs=0.1)
    assert found.scatter == pytest.approx(2.0, rel=0.1)


def test_before_any_pair_the_dear_tier_is_expected_to_agree_roughly() -> None:
    posterior = fit_fidelity_map([], [], spread=8.0).posterior(183.0)
    assert posterior.mean == 183.0
    assert posterior.std > 8.0


def test_one_pair_already_tells_the_offset() -> None:
    found = fit_fidelity_map([180.0], [160.0], spread=8.0)
    assert found.posterior(182.0).mean == pytest.approx(162.0, abs=0.5)
    assert found.posterior(182.0).std < fit_fidelity_map([], [], spread=8.0).posterior(182.0).std


def test_it_is_surer_among_the_pairs_than_far_from_them() -> None:
    cheap = np.linspace(170, 180, 12)
    found = fit_fidelity_map(cheap, cheap - 10 + np.sin(cheap), spread=5.0)
    assert found.posterior(175.0).std < found.posterior(200.0).std


def test_what_it_predicts_holds_as_often_as_it_says() -> None:
    # FidelityMaps and noise drawn from the prior: then the predictive distribution is exact.
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(800):
        spread = 5.0
        scatter = np.sqrt(3.0 * (0.5 * spread) ** 2 / rng.chisquare(3.0))
        offset, tilt = scatter * rng.normal(0, [10.0, 1.0])
        cheap = rng.normal(180, spread, 6)
        known = cheap[:5]
        dear = cheap + offset + tilt * (cheap - known.mean()) / spread + rng.normal(0, scatter, 6)
        found = fit_fidelity_map(known, dear[:5], spread=spread)
        mean, scale = found.predict(cheap[5:])
        inside.append(abs(dear[5] - mean[0]) < scale[0] * t.ppf(0.9, found.degrees))
    assert np.mean(inside) == pytest.approx(0.8, abs=0.04)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 1e4), st.floats(-1e3, 1e3))
def test_units_do_not_matter(factor: float, shift: float) -> None:
    cheap, dear = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.2, 5.0])
    one = fit_fidelity_map(cheap, dear, spread=2.0).posterior(3.0)
    other = fit_fidelity_map(
        factor * cheap + shift, factor * dear + shift, spread=factor * 2.0
    ).posterior(factor * 3.0 + shift)
    assert other.mean == pytest.approx(factor * one.mean + shift, rel=1e-6, abs=1e-6 * factor)
    assert other.std == pytest.approx(factor * one.std, rel=1e-6)


def test_uncertainty_of_the_cheap_value_is_carried_along() -> None:
    cheap = np.linspace(170, 190, 40)
    found = fit_fidelity_map(cheap, 2 * cheap - 180 + np.sin(cheap), spread=6.0)
    sure, unsure = (found.propagate(Posterior(mean=180.0, std=std)) for std in (0.0, 3.0))
    assert sure.mean == unsure.mean == pytest.approx(180.0, abs=0.5)
    _, slope = found.line
    assert unsure.std == pytest.approx(np.hypot(sure.std, slope * 3.0))


def test_lines_follow_one_another() -> None:
    up = {
        "bulk_modulus": fit_fidelity_map([0.0, 1.0, 2.0] * 200, [10.0, 11.0, 12.0] * 200, spread=1)
    }
    double = {"bulk_modulus": fit_fidelity_map([9.0, 10, 11] * 200, [18.0, 20, 22] * 200, spread=1)}
    offset, slope = composed([up, double], "bulk_modulus")
    assert (offset, slope) == (pytest.approx(20.0, abs=0.1), pytest.approx(2.0, abs=0.01))
    carried_on = propagate_posterior([up, double], {"bulk_modulus": Posterior(mean=1.0, std=0.0)})
    assert carried_on["bulk_modulus"].mean == pytest.approx(22.0, abs=0.1)


def test_the_dearest_tier_is_told_from_five_pairs_on() -> None:
    story = Told()
    values = {f"{i}:Ni8Fe8": (170.0 + i, 0.0) for i in range(6)}
    story.measure(0, Stage.INITIAL, values)
    names = list(values)
    story.promote(1, dict.fromkeys(names[:4], 150.0))
    assert maps_to_top_tier(story.state) == []
    assert propagate_posterior([], {"bulk_modulus": Posterior(mean=1.0, std=1.0)}) == {}
    story.promote(2, {names[4]: 151.0})
    (lines,) = maps_to_top_tier(story.state)
    assert set(lines) == {"bulk_modulus", "formation_energy_per_atom"}
