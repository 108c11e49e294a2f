"""A campaign stops when going on is not worth it, and says why."""

from typing import Any

import pytest
from scipy.stats import norm

from alloop.canonical import sha256
from alloop.loop.record.events import Posterior, Stage
from alloop.loop.state.stopping import first_worst, probability_of_improvement, stopping_reason
from alloop.loop.steps import Close, Fit, Propose, next_step
from tests.loop.ledger import decision, measured, proposed
from tests.loop.told import FINGERPRINTS, SPEC, Told

ONE_TIER = {
    "tiers": SPEC["tiers"][:1],
    "budget": {"initial": 2, "rounds": 9, "measurements": [100]},
}


def told(*bests: float, **changes: Any) -> Told:
    """Return a campaign whose rounds each measured one candidate, after two initial ones."""
    story = Told(ONE_TIER | changes)
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.05), "b:Ni9Fe7": (180.0, 0.0)})
    for round, best in enumerate(bests, 1):
        story.measure(round, Stage.ACQUISITION, {f"{round}:Ni7Fe9": (best, 0.0)})
    return story


def test_without_options_nothing_stops_but_the_budget() -> None:
    story = told(190.0, 190.0, 190.0)
    assert stopping_reason(story.state, 3) is None
    assert next_step(story.state) == Fit(4)


def test_a_plateau_is_counted_in_rounds_and_in_the_objectives_unit() -> None:
    stop = {"plateau": {"rounds": 2, "gain": 0.1}}
    assert stopping_reason(told(191.0, 191.05, stop=stop).state, 2) is None, "190 to 191.05"
    story = told(191.0, 191.05, 191.1, stop=stop)
    step = next_step(story.state)
    assert isinstance(step, Close)
    assert step.reason == (
        "plateau: the best bulk_modulus improved by 0.1 GPa in the last 2 rounds, "
        "and more than 0.1 GPa is wanted"
    )
    assert stopping_reason(told(191.0, 191.05, 191.2, stop=stop).state, 3) is None


def test_while_nothing_is_feasible_there_is_no_plateau() -> None:
    story = told(
        150.0,
        150.0,
        stop={"plateau": {"rounds": 1}},
        constraints=[{"property": "bulk_modulus", "min": 195.0}],
    )
    assert stopping_reason(story.state, 2) is None


@pytest.mark.parametrize(("target", "reached"), [(190.0, True), (190.5, False)])
def test_a_target_is_reached_by_a_feasible_candidate(target: float, reached: bool) -> None:
    story = told(stop={"target": target})
    story.measure(1, Stage.ACQUISITION, {"c:Ni": (999.0, 0.5)})  # misses the constraint
    reason = stopping_reason(story.state, 1)
    assert (reason is not None) is reached
    if reason is not None:
        assert reason.startswith("the target is reached: bulk_modulus 190 GPa (wanted 190)")
        assert sha256("a:Ni8Fe8")[:10] in reason


def test_the_higher_tier_judges_the_target_where_its_values_are_to_be_good() -> None:
    changes: dict[str, Any] = {
        "stop": {"target": 189},
        "promotion": {"when": "round"},
        "acquisition": {"aim": "top-tier"},
        "tiers": SPEC["tiers"],
        "budget": SPEC["budget"],
    }
    story = told(190.0, **changes)
    assert next_step(story.state) == Propose(1, Stage.PROMOTION, tier=1)
    story.promote(1, {"a:Ni8Fe8": 185.0, "1:Ni7Fe9": 186.0})
    assert stopping_reason(story.state, 1) is None
    story.promote(2, {"b:Ni9Fe7": 189.5})
    assert stopping_reason(story.state, 2) is not None


def test_what_is_due_to_the_higher_tier_is_promoted_before_the_campaign_closes() -> None:
    changes = {"stop": {"target": 189}, "tiers": SPEC["tiers"], "budget": SPEC["budget"]}
    story = told(**changes)
    assert next_step(story.state) == Propose(0, Stage.PROMOTION, tier=1)
    story.promote(0, {"a:Ni8Fe8": 185.0, "b:Ni9Fe7": 184.0})
    step = next_step(story.state)
    assert isinstance(step, Close)
    assert "the target is reached" in step.reason


def with_posteriors(*posteriors: tuple[float, float], **changes: Any) -> Told:
    """Return a campaign whose first round considered candidates with these moduli, mean and std."""
    story = told(**changes)
    decisions = [
        decision(
            f"{i}:Ni7Fe9",
            chosen=i == 0,
            posterior={
                "bulk_modulus": Posterior(mean=mean, std=std),
                "formation_energy_per_atom": Posterior(mean=0.05, std=0.1),
            },
        )
        for i, (mean, std) in enumerate(posteriors)
    ]
    story.events.append(proposed(1, Stage.ACQUISITION, decisions))
    story.answer(1, Stage.ACQUISITION, "0:Ni7Fe9", 189.0)
    return story


def test_the_probability_of_improvement_is_that_of_the_normal_distribution() -> None:
    found = probability_of_improvement(with_posteriors((188.0, 1.0), (187.0, 3.0)).state, 1)
    feasible = norm.cdf(0.1, 0.05, 0.1)
    assert found == pytest.approx(feasible * norm.sf(190.0, 187.0, 3.0), rel=1e-12)


def test_too_small_a_probability_of_improvement_stops_the_search() -> None:
    stop = {"probability_of_improvement": 0.01}
    sure = with_posteriors((180.0, 1.0), (181.0, 2.0), stop=stop)
    reason = stopping_reason(sure.state, 1)
    assert reason is not None
    assert "no candidate of round 1 had more than" in reason
    assert stopping_reason(with_posteriors((189.0, 1.0), stop=stop).state, 1) is None
    assert stopping_reason(told(191.0, stop=stop).state, 1) is None, "nothing was predicted"


def test_of_a_window_the_improvement_is_an_interval() -> None:
    window = [{"property": "bulk_modulus", "goal": "window", "window": [185.0, 186.0]}]
    story = with_posteriors((187.0, 1.0), objectives=window)
    found = probability_of_improvement(story.state, 1)
    # The best is 190, four above the window: 181 to 190 is nearer.
    inside = norm.cdf(190.0, 187.0, 1.0) - norm.cdf(181.0, 187.0, 1.0)
    assert found == pytest.approx(norm.cdf(0.1, 0.05, 0.1) * inside, rel=1e-12)


def two_objectives(*rounds: tuple[float, float], share: float) -> Told:
    objectives = [
        {"property": "bulk_modulus", "goal": "maximise"},
        {"property": "volume_per_atom", "goal": "minimise"},
    ]
    stop = {"hypervolume_gain": {"rounds": 1, "share": share}}
    story = Told(ONE_TIER | {"objectives": objectives, "constraints": [], "stop": stop})
    for round, points in enumerate([[(100.0, 14.0), (110.0, 16.0)], *([each] for each in rounds)]):
        stage = Stage.ACQUISITION if round else Stage.INITIAL
        names = [f"{round}{i}:NiFe" for i in range(len(points))]
        story.choose(round, stage, names)
        for name, (modulus, volume) in zip(names, points, strict=True):
            properties = {"bulk_modulus": modulus, "volume_per_atom": volume}
            story.events.append(
                measured(round, stage, sha256(name), properties, fingerprint=FINGERPRINTS[0])
            )
    return story


def test_the_gain_in_hypervolume_is_counted_from_the_worst_of_the_first() -> None:
    # From (100, −16): 10 × 2 = 20 for (110, 14), then 20 × 2 = 40, then 20 × 2.1 = 42.
    rounds = ((110.0, 14.0), (120.0, 14.0), (120.0, 13.9))
    story = two_objectives(*rounds, share=0.06)
    assert first_worst(story.state) == [100.0, -16.0]
    assert stopping_reason(story.state, 2) is None
    reason = stopping_reason(story.state, 3)
    assert reason is not None
    assert "the hypervolume grew by 4.8 % in the last round" in reason
    assert stopping_reason(two_objectives(*rounds, share=0.04).state, 3) is None
