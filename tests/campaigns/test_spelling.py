"""Specs may be written in American spelling."""

from typing import Any

import pytest

from alloop.campaigns.load import parse_spec
from alloop.campaigns.objectives import Objective
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import SpecError


def spec_of(goal: str, model: dict[str, Any]) -> CampaignSpec:
    return parse_spec(
        {
            "name": "spelt",
            "space": {"elements": ["Ni", "Fe"], "atoms": 16},
            "objectives": [{"property": "bulk_modulus", "goal": goal}],
            "model": model,
            "tiers": [{"kind": "person", "properties": ["bulk_modulus"]}],
            "budget": {"initial": 2, "measurements": [10]},
        },
        where="test",
    )


@pytest.mark.parametrize(
    ("american", "british"), [("maximize", "maximise"), ("minimize", "minimise")]
)
def test_goals(american: str, british: str) -> None:
    assert spec_of(american, {}) == spec_of(british, {})
    assert Objective.model_validate({"property": "density", "goal": american}).goal == british


def test_keys() -> None:
    american = {"kind": "lattice", "unlabeled": 7}
    british = {"kind": "lattice", "unlabelled": 7}
    assert spec_of("maximize", american) == spec_of("maximise", british)


def test_a_key_in_both_spellings_is_refused() -> None:
    both = {"kind": "lattice", "unlabeled": 7, "unlabelled": 8}
    with pytest.raises(SpecError, match="'unlabeled'"):
        spec_of("maximise", both)


def test_words_in_other_places_are_data() -> None:
    spec = spec_of("maximise", {})
    changed = spec.model_dump(mode="json") | {"name": "maximize"}
    assert parse_spec(changed, where="test").name == "maximize"
