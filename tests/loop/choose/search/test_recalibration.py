"""Widths of intervals corrected by what earlier ones came to."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from alloop.loop.choose.search.recalibration import interval_scale
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
    assert interval_scale(state([]), K) == 1.0


def test_intervals_that_held_what_they_should_stay_and_narrow_ones_are_widened() -> None:
    rng = np.random.default_rng(0)
    rounds = [rng.normal(size=100) for _ in range(4)]
    assert interval_scale(state(rounds), K) == pytest.approx(1.0, abs=0.1)
    assert interval_scale(state(rounds, std=0.5), K) == pytest.approx(2.0, abs=0.2)
    # Widened twofold already, they are right, and stay widened.
    done = state([2 * r for r in rounds], std=2.0, notes={f"interval_scale_{K}": 2.0})
    assert interval_scale(done, K) == pytest.approx(2.0, abs=0.2)


def test_a_few_surprises_change_little() -> None:
    assert interval_scale(state([np.array([6.0])]), K) < 1.6


def test_a_label_of_1e12_corrects_nothing() -> None:
    rng = np.random.default_rng(5)
    rounds = [rng.normal(size=16) for _ in range(4)]
    astray = [*rounds[:3], np.append(rounds[3], 1e12)]
    assert interval_scale(state(astray), K) == interval_scale(state(rounds), K)
