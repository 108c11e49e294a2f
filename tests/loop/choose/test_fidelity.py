"""The map from a lower tier to a higher one."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress, t

from alloop.loop.choose.fidelity import (
    FidelityMap,
    composed,
    fit_fidelity_map,
    fraction_spreads,
    maps_to_top_tier,
    propagate_posterior,
)
from alloop.loop.record.events import Posterior, Stage
from tests.loop.told import Told

NOTHING = np.zeros(0)
"""Fractions of no element."""


def line_of(low: Sequence[float], high: Sequence[float], *, spread: float) -> FidelityMap:
    """The map where composition plays no part."""
    return fit_fidelity_map(low, high, np.zeros((len(low), 0)), spread=spread, fraction_spreads=())


def test_with_many_pairs_it_is_the_line_of_least_squares() -> None:
    rng = np.random.default_rng(1)
    cheap = rng.normal(180, 8, 300)
    dear = 1.3 * cheap - 40 + rng.normal(0, 2, 300)
    found = line_of(cheap, dear, spread=8.0)
    expected = linregress(cheap, dear)
    offset, slope = found.line
    assert slope == pytest.approx(expected.slope, abs=0.01)
    assert offset + slope * 180 == pytest.approx(expected.intercept + expected.slope * 180, abs=0.1)
    assert found.scatter == pytest.approx(2.0, rel=0.1)


def test_before_any_pair_the_dear_tier_is_expected_to_agree_roughly() -> None:
    posterior = line_of([], [], spread=8.0).posterior(183.0, NOTHING)
    assert posterior.mean == 183.0
    assert posterior.std > 8.0


def test_one_pair_already_tells_the_offset() -> None:
    found = line_of([180.0], [160.0], spread=8.0)
    assert found.posterior(182.0, NOTHING).mean == pytest.approx(162.0, abs=0.5)
    assert (
        found.posterior(182.0, NOTHING).std
        < line_of([], [], spread=8.0).posterior(182.0, NOTHING).std
    )


def test_it_is_surer_among_the_pairs_than_far_from_them() -> None:
    cheap = np.linspace(170, 180, 12)
    found = line_of(cheap, cheap - 10 + np.sin(cheap), spread=5.0)
    assert found.posterior(175.0, NOTHING).std < found.posterior(200.0, NOTHING).std


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
        found = line_of(known, dear[:5], spread=spread)
        mean, scale = found.predict(cheap[5:], np.zeros((1, 0)))
        inside.append(abs(dear[5] - mean[0]) < scale[0] * t.ppf(0.9, found.degrees))
    assert np.mean(inside) == pytest.approx(0.8, abs=0.04)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 1e4), st.floats(-1e3, 1e3))
def test_units_do_not_matter(factor: float, shift: float) -> None:
    cheap, dear = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.2, 5.0])
    one = line_of(cheap, dear, spread=2.0).posterior(3.0, NOTHING)
    other = line_of(factor * cheap + shift, factor * dear + shift, spread=factor * 2.0).posterior(
        factor * 3.0 + shift, NOTHING
    )
    assert other.mean == pytest.approx(factor * one.mean + shift, rel=1e-6, abs=1e-6 * factor)
    assert other.std == pytest.approx(factor * one.std, rel=1e-6)


def test_elements_on_which_the_tiers_differ_are_found() -> None:
    # 40 GPa lower for pure iron, and no other difference.
    rng = np.random.default_rng(4)
    iron = rng.uniform(0, 1, 30)
    fractions = np.column_stack([iron, 1 - iron])
    cheap = 180 + 10 * rng.normal(size=30)
    dear = cheap - 40 * iron + 0.5 * rng.normal(size=30)
    found = fit_fidelity_map(
        cheap[:12],
        dear[:12],
        fractions[:12],
        spread=float(cheap.std()),
        fraction_spreads=fraction_spreads(fractions),
    )
    mean, scale = found.predict(cheap[12:], fractions[12:])
    assert np.sqrt(np.mean((mean - dear[12:]) ** 2)) < 2.0
    assert np.mean(np.abs(mean - dear[12:]) < 2 * scale) > 0.8
    alone = line_of(cheap[:12], dear[:12], spread=float(cheap.std()))
    blind, _ = alone.predict(cheap[12:], np.zeros((18, 0)))
    assert np.sqrt(np.mean((blind - dear[12:]) ** 2)) > 8.0
    rich, poor = found.offsets(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert rich - poor == pytest.approx(-40, abs=4)


def test_an_element_whose_share_never_varies_has_no_effect() -> None:
    fractions = np.full((6, 2), 0.5) + 1e-9 * np.arange(6)[:, None]
    spreads = fraction_spreads(fractions)
    assert spreads == [0.0, 0.0]
    cheap = np.arange(6.0)
    found = fit_fidelity_map(cheap, cheap + 5, fractions, spread=2.0, fraction_spreads=spreads)
    one, other = found.offsets(np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert one == other
    assert fraction_spreads(np.zeros((0, 2))) == [0.0, 0.0]


def test_uncertainty_of_the_cheap_value_is_carried_along() -> None:
    cheap = np.linspace(170, 190, 40)
    found = line_of(cheap, 2 * cheap - 180 + np.sin(cheap), spread=6.0)
    sure, unsure = (found.propagate(Posterior(mean=180.0, std=std), NOTHING) for std in (0.0, 3.0))
    assert sure.mean == unsure.mean == pytest.approx(180.0, abs=0.5)
    _, slope = found.line
    assert unsure.std == pytest.approx(np.hypot(sure.std, slope * 3.0))


def test_lines_follow_one_another() -> None:
    up = {"bulk_modulus": line_of([0.0, 1.0, 2.0] * 200, [10.0, 11.0, 12.0] * 200, spread=1)}
    double = {"bulk_modulus": line_of([9.0, 10, 11] * 200, [18.0, 20, 22] * 200, spread=1)}
    (offset,), slope = composed([up, double], "bulk_modulus", NOTHING[None])
    assert (offset, slope) == (pytest.approx(20.0, abs=0.1), pytest.approx(2.0, abs=0.01))
    carried_on = propagate_posterior(
        [up, double], {"bulk_modulus": Posterior(mean=1.0, std=0.0)}, NOTHING
    )
    assert carried_on["bulk_modulus"].mean == pytest.approx(22.0, abs=0.1)


def test_the_dearest_tier_is_told_from_five_pairs_on() -> None:
    story = Told()
    values = {f"{i}:Ni8Fe8": (170.0 + i, 0.0) for i in range(6)}
    story.measure(0, Stage.INITIAL, values)
    names = list(values)
    story.promote(1, dict.fromkeys(names[:4], 150.0))
    assert maps_to_top_tier(story.state) == []
    assert propagate_posterior([], {"bulk_modulus": Posterior(mean=1.0, std=1.0)}, NOTHING) == {}
    story.promote(2, {names[4]: 151.0})
    (lines,) = maps_to_top_tier(story.state)
    assert set(lines) == {"bulk_modulus", "formation_energy_per_atom"}
