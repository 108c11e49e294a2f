"""Options that would do nothing are refused, with the key and the remedy."""

from typing import Any

import pytest

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import SpecError

LAMMPS = {"kind": "lammps", "potential": "NiFeCr-Wu2017"}
BASE: dict[str, Any] = {
    "name": "idle",
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "tiers": [LAMMPS],
}
ALLOYS: dict[str, Any] = {
    "space": {"kind": "compositions", "elements": ["Ni", "Fe", "Cr"]},
    "objectives": [{"property": "single_phase_probability", "goal": "maximise"}],
    "tiers": [{"kind": "person", "properties": ["single_phase_probability"]}],
}


def parsed(**changes: Any) -> CampaignSpec:
    return parse_spec(BASE | changes, where="test")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"acquisition": {"strategy": "uncertainty", "trust_region": 0.4}}, "trust_region does no"),
        ({"acquisition": {"strategy": "random", "pool": 64}}, "pool does nothing with strategy r"),
        ({"acquisition": {"strategy": "random", "aim": "top-tier"}}, "aim does nothing with"),
        ({"objectives": [BASE["objectives"][0] | {"weight": 2}]}, r"objectives\.0\.weight: a wei"),
        ({"promotion": {"extra": 2}}, r"promotion\.extra: nothing is promoted"),
        ({"promotion": {"keep_structure": True}}, r"promotion\.keep_structure: nothing is prom"),
        ({"tiers": [LAMMPS | {"dynamics": {"temperature": 600}}]}, r"tiers\.0: dynamics does not"),
        (
            {"tiers": [LAMMPS, {"kind": "dft"}], "budget": {"measurements": [600, 3]}},
            r"tiers\.1\.promote: 0 candidates are ever sent",
        ),
        ({"tiers": [{"kind": "dft", "protocol": "static", "strain": 0.02}]}, "strain does nothing"),
        ({"tiers": [{"kind": "dft", "spin": False, "magmoms": {"Ni": 1}}]}, "magmoms does nothing"),
        (ALLOYS | {"model": {"priors": {"yield": {"kind": "beta"}}}}, r"priors names yield"),
        (ALLOYS | {"tiers": [ALLOYS["tiers"][0] | {"timeout": 5}]}, "people take as long as it"),
        (ALLOYS | {"tiers": [ALLOYS["tiers"][0] | {"workers": 2}]}, "workers does nothing for"),
        (
            {
                "space": {"kind": "structures", "elements": ["Ni", "Al"], "max_atoms": 8},
                "model": {"kind": "ftcp", "property_weights": {"band_gap": 2}},
            },
            r"property_weights names band_gap",
        ),
    ],
)
def test_an_option_that_does_nothing_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        parsed(**changes)


def test_the_same_options_are_taken_where_they_act() -> None:
    assert parsed(acquisition={"trust_region": 0.8}).acquisition.trust_region == 0.8
    assert parsed(acquisition={"strategy": "uncertainty", "pool": 64}).acquisition.pool == 64
    hot = [LAMMPS | {"dynamics": {"temperature": 600}}]
    wish = [{"property": "crystal_fraction", "min": 0.9}]
    spec = parsed(tiers=hot, constraints=wish)
    assert "crystal_fraction" in spec.tiers[0].measures()
    second = {"property": "density", "goal": "minimise", "weight": 2}
    both, summed = [*BASE["objectives"], second], {"scalarisation": "weighted-sum"}
    assert parsed(objectives=both, **summed).objectives[1].weight == 2


def test_the_full_form_of_a_spec_is_a_spec() -> None:
    """What is filled in for people to read is no option that does nothing."""
    for strategy in ("latent-bo", "uncertainty", "random"):
        spec = parsed(acquisition={"strategy": strategy})
        assert CampaignSpec.model_validate(spec.model_dump(mode="json")) == spec
    alloys = parsed(**ALLOYS)
    assert CampaignSpec.model_validate(alloys.model_dump(mode="json")) == alloys


def test_ftcp_s_usual_network_is_the_one_that_learns_from_few_rows() -> None:
    space = {"kind": "structures", "elements": ["Ni", "Al"], "max_atoms": 8}
    spec = parsed(space=space, model={"kind": "ftcp"})
    assert spec.model.model_dump()["network"]["kind"] == "direct"
