"""A campaign on each kind of parent lattice, from the spec to the report.

Oxides, which CHGNet measures in some seconds each, come along in the nightly run; one always.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from alloop.campaigns.load import parse_spec
from alloop.loop.choose.moves.of_space import moves_of
from alloop.loop.controller import Controller
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.parent import ParentLattice
from benchmarks.doors.parent_spaces import PARENT_SPACES, parent_campaign
from tests.loop.observers import Silent

DEAR = {"layered-oxide", "perovskite"}
CASES = [
    pytest.param(name, marks=pytest.mark.nightly if name in DEAR else ()) for name in PARENT_SPACES
]


def run_to_end(name: str, run: Path, strategy: str) -> RunFolder:
    spec = parse_spec(parent_campaign(name, strategy), where=name)
    with Controller(run, spec, observer=Silent()) as controller:
        controller.run()
    return RunFolder.read(run)


@pytest.mark.parametrize("name", CASES)
def test_a_campaign_on_it_is_measured_and_every_candidate_lies_in_its_space(
    name: str, tmp_path: Path
) -> None:
    folder = run_to_end(name, tmp_path / "run", "surrogate-bo")
    state = folder.state
    assert state.closed is not None
    assert len(state.answers()) >= 4
    assert verify(tmp_path / "run").ok
    moves = moves_of(state.spec.space, {})
    chosen = [id for id, decision in state.decisions.items() if decision.chosen]
    assert {state.decisions[id].lattice for id in chosen} == {state.spec.space.parent_names[0]}
    codes = moves.encode([folder.store.get_material(id) for id in chosen])
    assert moves.in_bounds(codes).all()
    assert len(np.unique(codes, axis=0)) == len(chosen)
    parent = DecorationSpace.of_space(state.spec.space).parents[0]
    forms = {parent.canonical([moves._space.species[i] for i in code[1:]]) for code in codes}
    assert len(forms) == len(chosen)  # nothing is measured that a symmetry makes of another


def test_the_lattice_model_learns_sublattices_and_vacancies(tmp_path: Path) -> None:
    state = run_to_end("B2", tmp_path / "run", "latent-bo").state
    assert state.closed is not None
    assert len(state.answers()) == 6


def test_a_run_needs_no_file_of_its_parent_any_more(tmp_path: Path) -> None:
    parent = ParentLattice.alloy("bcc", 2).structure(["V"] * 16)
    parent.to(str(tmp_path / "own.cif"))
    data = parent_campaign("bcc")
    data["space"] = {
        "parent": {"file": "own.cif"},
        "supercell": [1, 1, 1],
        "sublattices": {"A": {"sites": ["V"], "elements": ["V", "Fe"]}},
    }
    spec = parse_spec(data, where="own", folder=tmp_path)
    with Controller(tmp_path / "run", spec, observer=Silent()) as controller:
        controller.run()
    (tmp_path / "own.cif").unlink()
    shutil.move(tmp_path / "run", tmp_path / "moved")
    state = RunFolder.read(tmp_path / "moved").state
    assert state.spec.space.layout.n_open == 16
    assert len(state.answers()) == 6
