"""Calibration against hand-made predictions and the normal distribution."""

import math
from typing import Any, cast

import numpy as np
import pytest
from scipy.stats import spearmanr

from alloop.loop.report.page import render_report
from alloop.loop.state.calibration import (
    Calibration,
    PredictedTrial,
    calibration_by_round,
    drawn_at_random,
    latest_calibration,
    predicted_trials,
    search_warnings,
    surprises,
)
from alloop.loop.state.campaign_state import CampaignState
from tests.loop.report.synthetic import Diary


def predicted(mean: float, std: float, measured: float) -> PredictedTrial:
    return PredictedTrial(cast("Any", None), mean, std, measured)


def test_figures_by_hand() -> None:
    found = Calibration((predicted(11, 1, 10), predicted(9, 0.6, 10), predicted(13, 1, 10.5)))
    assert found.n == 3
    assert found.rmse == pytest.approx(math.sqrt((1 + 1 + 6.25) / 3))
    assert found.bias == pytest.approx((1 - 1 + 2.5) / 3)
    assert found.sharpness == pytest.approx(2.6 / 3)
    assert found.coverage(0.8) == pytest.approx(1 / 3)
    assert found.coverage(0.95) == pytest.approx(2 / 3)
    squares = 1 + (1 / 0.6) ** 2 + 2.5**2
    density = -0.5 * math.log(2 * math.pi) - (math.log(0.6) + 0.5 * squares) / 3
    assert found.log_density == pytest.approx(density)


def test_normal_predictions_are_calibrated_and_half_their_width_is_too_narrow() -> None:
    rng = np.random.default_rng(0)
    stds = rng.uniform(0.1, 3, 20_000)
    errors = stds * rng.normal(size=20_000)
    pairs = list(zip(errors.tolist(), stds.tolist(), strict=True))
    found = Calibration(tuple(predicted(e, s, 0.0) for e, s in pairs))
    for level in (0.5, 0.8, 0.95):
        assert found.coverage(level) == pytest.approx(level, abs=0.01)
    assert found.verdict == ""
    narrow = Calibration(tuple(predicted(e, s / 2, 0.0) for e, s in pairs))
    assert narrow.verdict.startswith("too narrow: 80 % intervals held 48 %")
    wide = Calibration(tuple(predicted(e, 3 * s, 0.0) for e, s in pairs))
    assert wide.verdict.startswith("too wide")


def test_answers_of_yes_or_no_are_held_against_probabilities() -> None:
    # Four of five answers as the larger probability said, at 0.9 each but one of 0.6.
    pairs = [(0.9, 1.0), (0.1, 0.0), (0.9, 1.0), (0.4, 0.0), (0.9, 0.0)] * 4
    found = Calibration(tuple(predicted(p, 0.03, answer) for p, answer in pairs))
    assert found.is_yes_or_no
    assert found.as_expected == pytest.approx(0.8)
    assert found.promised == pytest.approx((4 * 0.9 + 0.6) / 5)
    assert found.brier == pytest.approx((3 * 0.01 + 0.16 + 0.81) / 5)
    assert found.verdict == ""
    assert found.summary == "80 % of 20 answers came as expected, 84 % promised"
    wrong = Calibration(tuple(predicted(p, 0.03, 1 - answer) for p, answer in pairs))
    assert wrong.verdict == "too sure: 20 % of 20 answers came as expected, 84 % promised"
    unsure = Calibration(tuple(predicted(0.5 + 0.1 * (a - 0.5), 0.03, a) for _, a in pairs))
    assert unsure.verdict.startswith("too unsure: 100 % of 20 answers")
    # Values that are all alike are no answers, and neither are others beside them.
    assert not Calibration((predicted(1, 0.1, 1), predicted(0.9, 0.1, 1))).is_yes_or_no
    assert not Calibration(
        (predicted(1, 1, 0), predicted(1, 1, 1), predicted(1, 1, 2))
    ).is_yes_or_no


def test_the_rank_correlation_is_spearmans_with_ties() -> None:
    rng = np.random.default_rng(1)
    means = rng.integers(0, 8, 50).astype(float)
    measured = means + rng.integers(-3, 4, 50)
    pairs = zip(means.tolist(), measured.tolist(), strict=True)
    found = Calibration(tuple(predicted(m, 1.0, v) for m, v in pairs))
    assert found.rank_correlation == pytest.approx(spearmanr(means, measured).statistic)
    assert Calibration((predicted(1, 1, 2), predicted(1, 1, 3))).rank_correlation is None


def test_later_rounds_stand_for_the_campaign(closed: Diary) -> None:
    name = "bulk_modulus"
    by_round = calibration_by_round(closed.state, name)
    latest = latest_calibration(closed.state, name)
    assert latest is not None
    assert latest.n == sum(c.n for round, c in by_round.items() if round > 1)
    assert sum(c.n for c in by_round.values()) == len(predicted_trials(closed.state, name))


def with_one_value(closed: Diary, change: float) -> tuple[CampaignState, str]:
    """The state with one predicted value so many standard deviations off, and its candidate."""
    state = closed.state
    one = predicted_trials(state, "bulk_modulus")[-1]
    key = next(k for k, m in state.recorded.items() if m is one.trial.measured)
    properties = {**state.recorded[key].properties, "bulk_modulus": one.mean + change * one.std}
    changed = state.recorded[key].model_copy(update={"properties": properties})
    values = {field: getattr(state, field) for field in state.__dataclass_fields__}
    other = CampaignState(**values | {"recorded": {**state.recorded, key: changed}})
    return other, one.trial.decision.candidate


def test_a_value_far_from_what_was_expected_is_a_surprise_and_is_said(closed: Diary) -> None:
    state, candidate = with_one_value(closed, 9.0)
    name, first = surprises(state)[0]
    assert (name, first.trial.decision.candidate) == ("bulk_modulus", candidate)
    warning = next(line for line in search_warnings(state) if "surprise" in line)
    assert candidate[:10] in warning
    assert candidate[:10] in render_report(state, closed.store, head="0" * 64)
    calm, other = with_one_value(closed, 1.0)
    assert other not in {p.trial.decision.candidate for _, p in surprises(calm)}


def test_a_round_that_was_filled_at_random_is_said(closed: Diary) -> None:
    state = closed.state
    assert drawn_at_random(state) == {}
    place = next(i for i, p in enumerate(state.proposals) if p.round == 2)
    idle = state.proposals[place].model_copy(update={"notes": {"drawn_at_random": 5.0}})
    values = {field: getattr(state, field) for field in state.__dataclass_fields__}
    proposals = (*state.proposals[:place], idle, *state.proposals[place + 1 :])
    changed = CampaignState(**values | {"proposals": proposals})
    chosen = sum(decision.chosen for decision in idle.decisions)
    assert drawn_at_random(changed) == {2: (5, chosen)}
    assert any(line.startswith("round 2 found too little") for line in search_warnings(changed))
