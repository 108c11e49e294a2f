"""Energy above hull as a constraint: derived from the measurements known at the moment."""

import pytest

from alloop.campaigns.load import parse_spec
from alloop.canonical import sha256
from alloop.errors import SpecError
from alloop.loop.record.events import Stage
from alloop.loop.state.campaign_state import CampaignState
from tests.loop.ledger import decision, measured, opened, proposed, state_after

SPEC = {
    "name": "hull",
    "space": {"elements": ["Ni", "Fe"]},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "energy_above_hull", "max": 0.02}],
    "budget": {"initial": 2, "rounds": 2, "measurements": [100]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


def state_of(*values: tuple[str, float, float]) -> CampaignState:
    """Return a campaign that has measured formulas with a bulk modulus and a formation energy."""
    initial = Stage.INITIAL
    return state_after(
        [
            opened(SPEC, ("f",)),
            proposed(0, initial, [decision(formula) for formula, _, _ in values]),
            *(
                measured(
                    0,
                    initial,
                    sha256(formula),
                    {"bulk_modulus": modulus, "formation_energy_per_atom": energy},
                    fingerprint="f",
                )
                for formula, modulus, energy in values
            ),
        ]
    )


def test_a_candidate_stops_being_feasible_when_something_more_stable_is_found() -> None:
    before = state_of(("Ni3Fe", 190.0, 0.01), ("NiFe", 170.0, 0.0))
    assert before.best() is not None
    assert before.decisions[before.best().candidate].formula == "Ni3Fe"
    assert before.best().properties["energy_above_hull"] == pytest.approx(0.01)

    after = state_of(("Ni3Fe", 190.0, 0.01), ("NiFe", 170.0, -0.1))
    assert after.decisions[after.best().candidate].formula == "NiFe"
    energies = [m.properties["energy_above_hull"] for m in after.answers()]
    assert energies == pytest.approx([0.06, 0.0])


def test_what_is_derived_is_not_in_the_record() -> None:
    state = state_of(("Ni3Fe", 190.0, 0.01), ("NiFe", 170.0, -0.1))
    assert all("energy_above_hull" not in m.properties for m in state.recorded.values())


def test_the_order_of_arrival_does_not_matter() -> None:
    values = [("Ni3Fe", 190.0, 0.01), ("NiFe", 170.0, -0.1), ("NiFe3", 171.0, -0.06)]
    one, other = state_of(*values), state_of(*values)
    object.__setattr__(other, "recorded", dict(reversed(other.recorded.items())))
    assert [m.properties for m in one.answers()] == [m.properties for m in other.answers()]


def test_a_tier_that_cannot_give_a_formation_energy_is_refused() -> None:
    tier = {"kind": "dft", "engine": "chgnet", "protocol": "relax"}
    with pytest.raises(SpecError, match="does not measure formation_energy_per_atom"):
        parse_spec(SPEC | {"tiers": [tier]}, where="test")
    assert parse_spec(SPEC, where="test").required_properties(0) == (
        "bulk_modulus",
        "formation_energy_per_atom",
    )
