"""The ready campaigns over alloys, at a tiny budget and with alloys of the test's own making."""

import sys
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Composition

from alloop.campaigns.load import load_spec
from alloop.errors import DataError
from alloop.loop.controller import Controller
from alloop.loop.people.labelling import record_file
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from tests.end_to_end.small_budgets import SMALL

sys.path.insert(0, str(Path(__file__).parents[1] / "loop"))
from alloys import write_hea
from lab import Silent, asked, write


def go(run: Path, name: str, *changes: str) -> CampaignState:
    spec = load_spec(name, (*SMALL[name], *changes))
    with Controller(run, spec, observer=Silent()) as controller:
        return controller.run()


def test_the_retrospective_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOOP_DATA", str(tmp_path))
    with pytest.raises(DataError, match="alloop data fetch hea"):
        go(tmp_path / "run", "hea-single-phase")
    table = write_hea(tmp_path)
    state = go(tmp_path / "run", "hea-single-phase")
    assert state.closed == "all 1 rounds are done"
    lines = [line.split(",") for line in table.read_text().splitlines()[2:]]
    published = {line[0]: float(line[1]) for line in lines}
    assert len(state.answers()) == 8 + 4
    ones = sum(m.properties["single_phase_probability"] for m in state.answers())
    assert 0 < ones < 12
    assert len(published) > 12, "some labels stayed hidden"
    # Rows whose label was not asked for are learnt from, beside alloys that are only drawn.
    assert state.models[1].n_labelled == 8
    drawn = state.spec.model.random_alloys  # type: ignore[attr-defined]
    assert state.models[1].n_unlabelled == drawn + min(drawn, len(published) - 8)


def test_alloys_that_are_brought_without_a_label_are_learnt_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOOP_DATA", str(tmp_path))
    write_hea(tmp_path)
    known = tmp_path / "known.csv"
    known.write_text("formula,single_phase_probability\nFeNiCo,1\nFeNiTi,\nFeNiCr2,\n")
    start = f"start={{labels: {known}}}"
    few = "learning.unlabelled=2"
    state = go(tmp_path / "run", "hea-single-phase", start, few)
    model = RunFolder.read(tmp_path / "run").store.read(
        state.models[1].checkpoint, state.spec.model.load
    )
    learnt = [Composition(formula) for formula in ("FeNiCo", "FeNiTi", "FeNiCr2")]
    distances = model.assess(learnt).distance  # type: ignore[attr-defined]
    assert float(distances.max()) < 1e-6


def test_the_laboratory(tmp_path: Path) -> None:
    run, sheet = tmp_path / "run", tmp_path / "results.csv"
    state = go(run, "hea-single-phase-lab")
    while state.closed is None:
        rows: list[Any] = asked(run)
        filled = [row | {"single_phase_probability": i % 2} for i, row in enumerate(rows)]
        record_file(run, write(sheet, filled))
        state = go(run, "hea-single-phase-lab")
    assert len(state.answers()) == 8 + 4
    assert {m.oracle for m in state.answers()} == {"person"}
    for m in state.answers():
        material = RunFolder.read(run).store.get_material(m.candidate)
        assert 4 <= len(material.elements) <= 6  # type: ignore[union-attr]
        assert max(material.get_el_amt_dict().values()) <= 0.35 + 1e-6  # type: ignore[union-attr]
