"""What is to end a campaign is checked before it begins."""

from typing import Any

import pytest

from alloop.campaigns.load import load_spec, parse_spec, ready_campaigns
from alloop.errors import SpecError

SPEC: dict[str, Any] = {
    "name": "stops",
    "space": {"elements": ["Ni", "Fe"]},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "bulk_modulus", "max": 250}],
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}
TWO = {
    "objectives": [
        {"property": "bulk_modulus", "goal": "maximise"},
        {"property": "density", "goal": "minimise"},
    ]
}


def test_a_target_is_one_number_or_one_for_each_objective() -> None:
    one = parse_spec(SPEC | {"stop": {"target": 190}}, where="here")
    assert one.stop.targets(one.objectives) == {"bulk_modulus": 190.0}
    both = {"target": {"bulk_modulus": 190, "density": 8}}
    two = parse_spec(SPEC | TWO | {"stop": both}, where="here")
    assert two.stop.targets(two.objectives) == {"bulk_modulus": 190.0, "density": 8.0}
    assert parse_spec(SPEC, where="here").stop.targets(one.objectives) == {}


@pytest.mark.parametrize(
    ("changes", "stop", "place", "problem"),
    [
        (TWO, {"target": 190}, "stop.target", "several objectives"),
        (TWO, {"target": {"bulk_modulus": 190}}, "stop.target", "density has none"),
        ({}, {"target": {"density": 190}}, "stop.target", "density is no objective"),
        ({}, {"target": 260}, "stop.target", "260 is above the constraint's max 250"),
        (TWO, {"plateau": {"rounds": 2}}, "stop.plateau", "write hypervolume_gain"),
        ({}, {"hypervolume_gain": {}}, "stop.hypervolume_gain", "write plateau"),
        (TWO, {"probability_of_improvement": 0.01}, "stop.probability_of_improvement", "several"),
        (
            {"acquisition": {"strategy": "random"}},
            {"probability_of_improvement": 0.01},
            "stop.probability_of_improvement",
            "strategy random predicts no improvement",
        ),
        ({}, {"probability_of_improvement": 1.5}, "stop.probability_of_improvement", "less than 1"),
        ({}, {"plateau": {"rounds": 0}}, "stop.plateau.rounds", "greater than or equal to 1"),
    ],
)
def test_what_can_never_apply_is_refused_with_its_key(
    changes: dict[str, Any], stop: dict[str, Any], place: str, problem: str
) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(SPEC | changes | {"stop": stop}, where="here")
    assert place in str(caught.value)
    assert problem in str(caught.value)


def test_a_window_is_its_own_target() -> None:
    window = [{"property": "bulk_modulus", "goal": "window", "window": [180, 190]}]
    with pytest.raises(SpecError, match="the target of bulk_modulus is its window"):
        parse_spec(SPEC | {"objectives": window, "stop": {"target": 185}}, where="here")


@pytest.mark.parametrize("name", ready_campaigns())
def test_no_clock_decides_what_a_ready_campaign_finds(name: str) -> None:
    assert load_spec(name).budget.wall_time is None


def test_a_long_limit_on_time_is_read_back_from_the_record() -> None:
    limited = parse_spec(SPEC | {"budget": {"wall_time": "20 d"}}, where="here")
    again = parse_spec(limited.model_dump(mode="json"), where="record")
    assert again.budget.wall_time == limited.budget.wall_time
