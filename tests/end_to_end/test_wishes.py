"""What a new user with a problem of their own wishes for on the first day: fifteen wishes.

Ten are tested in the place where they belong, by a campaign that is run, a command that is typed,
or the conversation itself; ``ELSEWHERE`` names where. The other five are here, as one types them.
"""

import ast
import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pymatgen.core import Structure

from alloop import Campaign
from alloop.files.structure_files import read_structure
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.lattice.parent import ParentLattice
from tests.typed import Typed, typed_at

HERE = Path(__file__).parent
ON_A_PARENT = "test_a_campaign_on_it_is_measured_and_every_candidate_lies_in_its_space"
ELSEWHERE = {
    "an hcp parent": ("test_parent_lattices.py", ON_A_PARENT),
    "B2": ("test_parent_lattices.py", ON_A_PARENT),
    "rock salt": ("test_parent_lattices.py", ON_A_PARENT),
    "a parent lattice of my own": (
        "test_parent_lattices.py",
        "test_a_run_needs_no_file_of_its_parent_any_more",
    ),
    "sublattices": (
        "test_parent_lattices.py",
        "test_the_lattice_model_learns_sublattices_and_vacancies",
    ),
    "orderings that a person is asked to measure, in files one can read": (
        "../loop/people/test_request_folder.py",
        "test_every_structure_that_is_asked_for_lies_there_twice",
    ),
    "add, veto, suggest": ("test_ask_and_tell.py", "test_python_and_commands_say_the_same"),
    "more budget after the end": (
        "../loop/people/test_changing.py",
        "test_a_campaign_that_ended_goes_on_with_more_rounds",
    ),
    "a campaign from Python": (
        "test_python_page.py",
        "test_the_conversation_goes_as_it_is_shown",
    ),
    "a tier like DFT, without a licence": (  # nifecr-bulk-modulus, by SevenNet
        "test_ready_campaigns.py",
        "test_a_small_copy_comes_to_its_report",
    ),
}
"""File and test of each wish that is tested elsewhere."""
LAMMPS = {"kind": "lammps", "potential": "NiFeCr-Wu2017", "properties": ["bulk_modulus"]}
PEOPLE = {"kind": "person", "properties": ["bulk_modulus"], "protocol": "nanoindentation"}
BASE: dict[str, Any] = {
    "name": "wish",
    "seed": 3,
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "surrogate-bo", "batch": 2},
    "augmentation": None,
    "tiers": [LAMMPS],
    "budget": {"initial": 3, "rounds": 1, "measurements": [5]},
    "execution": {"kind": "local", "workers": 1},
}


@pytest.mark.parametrize("wish", ELSEWHERE)
def test_elsewhere_is_where_it_is_said(wish: str) -> None:
    file, name = ELSEWHERE[wish]
    tree = ast.parse((HERE / file).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typed_at(200, monkeypatch, capsys)


@pytest.fixture
def launched(tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a campaign, check and launch it as anybody would; return its state."""
    monkeypatch.chdir(tmp_path)

    def launch(**keys: Any) -> CampaignState:
        Path("mine.yaml").write_text(yaml.safe_dump(BASE | keys))
        for words in (("check", "mine.yaml"), ("launch", "mine.yaml")):
            code, _, said = typed(*words)
            assert code == 0, said
        run = Path("runs/wish")
        assert verify(run).ok
        return RunFolder.read(run).state

    return launch


def test_a_perovskite(launched: Any) -> None:
    space = {
        "parent": "perovskite",
        "supercell": [2, 2, 2],
        "sublattices": {
            "A": {"elements": ["Sr", "Ca", "Ba"]},
            "B": {"elements": ["Ti"]},
            "X": {"elements": ["O"]},
        },
    }
    launched(space=space, tiers=[PEOPLE])
    asked = list(Path("runs/wish/requests").glob("*.cif"))
    assert len(asked) == 3
    for file in asked:
        crystal = read_structure(file).structure
        assert isinstance(crystal, Structure)
        counts = Counter(site.specie.symbol for site in crystal)
        assert (counts["Ti"], counts["O"]) == (8, 24)
        assert counts["Sr"] + counts["Ca"] + counts["Ba"] == 8
        for site in crystal:
            if site.specie.symbol == "Ti":  # an octahedron of oxygen around each titanium
                around = crystal.get_neighbors(site, 0.55 * crystal.lattice.a / 2)
                assert [each.specie.symbol for each in around] == ["O"] * 6


def test_vacancies(launched: Any) -> None:
    bounds = {"Al": [0.25, 0.5], "vacancy": [0.0625, 0.125]}
    sites = {"elements": ["Ni", "Al", "vacancy"], "fractions": bounds}
    space = {"parent": "fcc", "atoms": 16, "sublattices": {"A": sites}}
    potential = {"kind": "lammps", "potential": "NiAlH_jea.eam.alloy"}
    state = launched(
        space=space,
        tiers=[potential],
        objectives=[{"property": "energy_per_atom", "goal": "minimise"}],
    )
    store = RunFolder.read(Path("runs/wish")).store
    sizes = {len(store.get_material(answer.candidate)) for answer in state.answers()}
    assert sizes <= {14, 15}
    assert len(state.answers()) == 5


def test_cells_of_108_atoms_as_of_32(launched: Any) -> None:
    # 32 are those of fcc in test_parent_lattices.py
    state = launched(
        space={"parent": "fcc", "elements": ["Ni", "Fe", "Cr"], "atoms": 108},
        budget={"initial": 2, "rounds": 0, "measurements": [2]},
    )
    assert len(state.answers()) == 2
    store = RunFolder.read(Path("runs/wish")).store
    assert {len(store.get_material(answer.candidate)) for answer in state.answers()} == {108}


def test_structures_of_strontium_titanium_and_oxygen(launched: Any) -> None:
    launched(
        space={"kind": "structures", "elements": ["Sr", "Ti", "O"], "max_atoms": 6}, tiers=[PEOPLE]
    )
    campaign = Campaign.open("runs/wish")
    first = campaign.suggest()
    for number, each in enumerate(first):
        assert {el.symbol for el in each.material.elements} <= {"Sr", "Ti", "O"}
        campaign.label(each.candidate, {"bulk_modulus": 100.0 + number}, why="measured")
    campaign.run()
    second = campaign.suggest()
    assert (len(first), len(second)) == (3, 2)
    assert all("by acquisition" in each.why for each in second)


def test_two_hundred_measurements_that_i_have(launched: Any) -> None:
    cell = ParentLattice.of_size("fcc", 16)
    drawn = np.random.default_rng(0)
    rows = io.StringIO()
    table = csv.writer(rows)
    table.writerow(["structure", "bulk_modulus"])
    for _ in range(200):
        symbols = drawn.choice(["Ni", "Fe", "Cr"], size=16).tolist()
        crystal = cell.structure(symbols)
        table.writerow([crystal.to(fmt="cif"), 150 + symbols.count("Ni")])
    Path("known.csv").write_text(rows.getvalue())
    state = launched(
        space={"elements": ["Ni", "Fe", "Cr"], "lattices": ["fcc"], "atoms": 16},
        start={"labels": "known.csv"},
        budget={"initial": 0, "rounds": 1, "measurements": [2]},
    )
    brought = state.brought_measurements
    assert len(brought) > 190  # a few orderings are drawn twice
    assert len(state.answers()) == 2, "what one has costs nothing and is not measured again"
    assert not {m.candidate for m in state.answers()} & {m.candidate for m in brought}
    chosen = [state.decisions[m.candidate].reason for m in state.answers()]
    assert all("by acquisition" in reason for reason in chosen), chosen
