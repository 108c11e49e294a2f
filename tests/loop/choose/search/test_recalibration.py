"""Corrections of predictions by what earlier ones came to."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from alloop.loop.choose.search.recalibration import PRIOR_COUNT, Correction, correction
from alloop.loop.record.events import Decision, Lineage, Posterior, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState

K = "bulk_modulus"


def state(
    errors: list[np.ndarray], *, std: float = 1.0, notes: dict[str, float] | None = None
) -> CampaignState:
    """A state whose rounds measured their predictions of 180 plus these errors."""
    proposals, answers = [], []
    for round, of_round in enumerate(errors, start=1):
        decisions = []
        for place, error in enumerate(of_round):
            id = f"{round:032d}{place:032d}"
            decisions.append(
                Decision(
                    candidate=id,
                    formula="Ni",
                    chosen=True,
                    reason="",
                    posterior={K: Posterior(mean=180.0, std=std)},
                    lineage=Lineage(source="random"),
                )
            )
            answers.append(SimpleNamespace(candidate=id, properties={K: 180.0 + float(error)}))
        proposals.append(
            Proposed(
                round=round,
                stage=Stage.ACQUISITION,
                decisions=tuple(decisions),
                notes=dict(notes or {}),
            )
        )
    return cast("Any", SimpleNamespace(proposals=proposals, answers=lambda: answers))


def test_nothing_is_corrected_before_anything_came() -> None:
    assert correction(state([]), K) == Correction()


def test_intervals_that_held_what_they_should_stay_and_narrow_ones_are_widened() -> None:
    rng = np.random.default_rng(0)
    rounds = [rng.normal(size=100) for _ in range(4)]
    assert correction(state(rounds), K).scale == pytest.approx(1.0, abs=0.1)
    assert correction(state(rounds, std=0.5), K).scale == pytest.approx(2.0, abs=0.2)
    # Widened twofold already, they are right, and stay widened.
    done = state([2 * r for r in rounds], std=2.0, notes={f"interval_scale_{K}": 2.0})
    assert correction(done, K).scale == pytest.approx(2.0, abs=0.2)


def test_predictions_that_were_too_good_are_shifted_by_the_latest_rounds() -> None:
    old, new = np.full(16, 9.0), np.full(16, -3.0)
    found = correction(state([old, old, new, new]), K)
    assert found.shift == pytest.approx(-3.0 * 32 / (32 + PRIOR_COUNT))
    again = state([new + 3.0], notes={f"mean_shift_{K}": -3.0})  # shifted already, and right
    assert correction(again, K).shift == pytest.approx(-3.0 * 16 / (16 + PRIOR_COUNT))


def test_a_few_surprises_change_little() -> None:
    assert correction(state([np.array([6.0])]), K).scale < 1.6
