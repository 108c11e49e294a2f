"""A campaign sees, and can ask, whether relaxation left a crystal on its parent lattice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Composition, Lattice, Structure

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.controller import Controller
from alloop.loop.measure.relaxed_lattice import PARENT_LATTICE_KEPT, parent_lattice_kept
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.card import best_candidate_card
from tests.loop.observers import Silent

SPEC: dict[str, Any] = {
    "name": "kept",
    "seed": 1,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 54, "lattices": ["bcc"]},
    "objectives": [{"property": "shear_modulus", "goal": "maximise"}],
    "constraints": [{"property": "parent_lattice_kept", "min": 1}],
    "budget": {"initial": 8, "rounds": 0, "measurements": [8]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}
BODY = [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]


@pytest.fixture
def bcc() -> Structure:
    return Structure(Lattice.cubic(2.87), ["Fe", "Cr"], BODY) * (3, 3, 3)


def kept(proposed: Any, relaxed: Any) -> dict[str, float]:
    return parent_lattice_kept(proposed, relaxed)


def test_small_shifts_keep_the_lattice(bcc: Structure) -> None:
    shaken = bcc.copy()
    shaken.perturb(0.08)
    shaken.scale_lattice(1.05 * bcc.volume)
    assert kept(bcc, shaken) == {PARENT_LATTICE_KEPT: 1.0}


def test_bain_s_strain_makes_another_lattice_of_it(bcc: Structure) -> None:
    strained = Structure(
        Lattice(bcc.lattice.matrix * [1, 1, np.sqrt(2)]), bcc.species, bcc.frac_coords
    )
    assert kept(bcc, strained) == {PARENT_LATTICE_KEPT: 0.0}
    assert kept(strained, strained) == {PARENT_LATTICE_KEPT: 1.0}


def test_atoms_anywhere_are_on_no_lattice(bcc: Structure) -> None:
    melted = bcc.copy()
    melted.perturb(0.9)
    assert kept(bcc, melted) == {PARENT_LATTICE_KEPT: 0.0}


def test_where_there_is_no_lattice_or_nothing_relaxed_nothing_is_said(bcc: Structure) -> None:
    hexagonal = Structure(
        Lattice.hexagonal(2.5, 4.08), ["Co"] * 2, [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
    )
    assert kept(hexagonal, hexagonal) == {}
    assert kept(bcc, None) == {}
    assert kept(Composition("FeCr"), Composition("FeCr")) == {}


def test_a_campaign_counts_those_that_left_their_lattice_as_infeasible(tmp_path: Path) -> None:
    spec = parse_spec(SPEC, where="test")
    run = tmp_path / "run"
    with Controller(run, spec, observer=Silent()) as controller:
        state = controller.run()
    answers = state.answers()
    assert len(answers) == 8
    store = ArtifactStore(run / "artifacts")
    for m in answers:
        assert m.relaxed is not None
        relaxed = store.get_material(m.relaxed)
        assert kept(store.get_material(m.candidate), relaxed).items() <= m.properties.items()
        assert state.utility.is_feasible(m.properties) == (m.properties[PARENT_LATTICE_KEPT] == 1)
    # With this potential most random ternary bcc cells leave bcc, and some do not.
    assert {m.properties[PARENT_LATTICE_KEPT] for m in answers} == {0.0, 1.0}
    card = best_candidate_card(state, store)
    assert card is not None
    assert card.cell is not None
    assert ("lattice", "bcc, also after relaxation") in card.cell.rows


def test_a_tier_measures_what_is_wanted_without_being_told_twice() -> None:
    spec = parse_spec(SPEC, where="test")
    (tier,) = spec.tiers
    assert "shear_modulus" in tier.measures()
    again = CampaignSpec.model_validate(spec.model_dump(mode="json"))
    assert again == spec
