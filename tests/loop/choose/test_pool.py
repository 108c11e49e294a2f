"""Candidates taken from a table, and the choice of what the model is unsure of."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alloop.campaigns.load import parse_spec
from alloop.errors import RunError, SpecError
from alloop.loop.choose.uncertainty import choose_uncertain, uncertainty_scores
from alloop.loop.controller import Controller
from alloop.loop.record.events import Stage
from alloop.loop.replay import replay
from alloop.loop.run_folder import RunFolder
from alloop.materials import material_id
from alloop.models.base import Prediction
from alloop.oracles.table.oracle import TableOracle

sys.path.insert(0, str(Path(__file__).parents[1]))
from alloys import retrospective, write_table
from lab import Silent


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path / "alloys.csv")


def launch(run: Path, spec: dict[str, Any] | None) -> RunFolder:
    parsed = None if spec is None else parse_spec(spec, where="here")
    with Controller(run, parsed, observer=Silent()) as controller:
        controller.run()
    return RunFolder.read(run)


def known(table: Path) -> dict[str, float]:
    """Return the label of every row by its candidate's id."""
    spec = parse_spec(retrospective(table), where="here")
    oracle = TableOracle(spec.tiers[0])  # type: ignore[arg-type]
    return {
        material_id(m): oracle.measure(m).properties["single_phase_probability"]
        for m in oracle.materials()
    }


@pytest.mark.parametrize(("strategy", "rounds"), [("uncertainty", 2), ("latent-bo", 1)])
def test_rows_are_chosen_by_the_model_and_labels_are_the_tables(
    run: Path, table: Path, strategy: str, rounds: int
) -> None:
    acquisition = {"strategy": strategy, "candidates": "table", "batch": 4}
    budget = {"initial": 8, "rounds": rounds, "measurements": [100]}
    folder = launch(run, retrospective(table, acquisition=acquisition, budget=budget))
    state, labels = folder.state, known(table)
    assert len(state.answers()) == 8 + rounds * 4
    assert not [m for m in state.measured.values() if m.failure_kind is not None]
    for m in state.answers():
        assert m.properties["single_phase_probability"] == labels[m.candidate]
    assert len({m.candidate for m in state.answers()}) == len(state.answers())
    for proposal in state.proposals:
        chosen = [d for d in proposal.decisions if d.chosen]
        assert {d.lineage.source for d in proposal.decisions} == {"table"}
        if proposal.stage is Stage.ACQUISITION:
            assert len(proposal.decisions) == 2 * len(chosen), "the runners-up are recorded too"
    assert replay(folder.entries, folder.store, rounds).agrees


def test_a_random_order_goes_through_the_whole_table_and_ends(run: Path, table: Path) -> None:
    random = {"strategy": "random", "candidates": "table", "batch": 20}
    budget = {"initial": 8, "rounds": 9, "measurements": [100]}
    state = launch(run, retrospective(table, acquisition=random, budget=budget)).state
    assert state.closed == "every row of the table is measured"
    assert {m.candidate for m in state.answers()} == set(known(table))
    assert not state.models


def test_rows_outside_the_space_are_never_chosen(run: Path, table: Path) -> None:
    random = {"strategy": "random", "candidates": "table", "batch": 50}
    space = {"kind": "compositions", "elements": ["Fe", "Ni", "Cr"], "fractions": {"Fe": [0, 0.5]}}
    spec = retrospective(table, acquisition=random, space=space)
    state = launch(run, spec).state
    formulas = [state.decisions[m.candidate].formula for m in state.answers()]
    assert not [formula for formula in formulas if "Co" in formula or "Fe0.6" in formula]
    assert len(formulas) == 15  # of the 21 alloys of three elements, 6 have 0.6 Fe or more


def test_a_table_that_changed_meanwhile_is_refused(run: Path, table: Path) -> None:
    budget = {"initial": 2, "rounds": 0, "measurements": [2]}
    launch(run, retrospective(table, budget=budget))
    table.write_text(table.read_text().replace("Fe5,0", "Fe5,1"))
    with pytest.raises(RunError, match="would measure differently"):
        launch(run, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tiers": [{"kind": "person", "properties": ["single_phase_probability"]}]}, "tiers.0 is"),
        ({"augmentation": {}}, "augmentation"),
        ({"acquisition": {"strategy": "best"}}, "strategy"),
        ({"acquisition": {"candidates": "web"}}, "candidates"),
    ],
)
def test_what_cannot_be_is_refused(table: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_spec(retrospective(table, **changes), where="here")


def test_the_uncertainty_of_a_yes_or_no_is_its_entropy_in_bits() -> None:
    mean = torch.tensor([[0.5, 10.0], [1.0, 10.0], [0.11, 10.0]])
    std = torch.tensor([[0.5, 3.0], [0.0, 1.0], [0.3, 0.0]])
    prediction = Prediction(("single_phase_probability", "bulk_modulus"), mean, std)
    # H(0.11) = 0.4999 bits; 3 and 1 GPa are 1.5 and 0.5 times the labels' spread of 2 GPa.
    assert uncertainty_scores(prediction, [1.0, 2.0]) == pytest.approx([2.5, 0.5, 0.4999], abs=1e-4)


def test_a_batch_is_unsure_first_and_various_second() -> None:
    # Three twins are the most uncertain, one far away nearly as much; the last is sure.
    latents = np.array([[0.0], [0.0], [0.01], [5.0], [9.0]])
    scores = np.array([1.0, 0.99, 0.98, 0.9, 0.1])
    choice = choose_uncertain(scores, latents, 1)
    assert choice.chosen == (0,)
    choice = choose_uncertain(scores[:4], latents[:4], 2)
    assert choice.chosen == (0, 3)
    assert choice.runners_up == (1, 2)
    twin = choice.rejection(1)
    assert twin is not None
    assert twin.rule == "variety"
    assert twin.margin < 0
    many = np.concatenate([scores, np.full(20, 0.05)]), np.concatenate([latents, np.ones((20, 1))])
    sure = choose_uncertain(*many, 1).rejection(10)
    assert sure is not None
    assert sure.rule == "unsureness"
    assert choice.rejection(0) is None
