"""Every ready campaign comes to its report: a small copy always, itself in the nightly run.

A small copy keeps the whole list of elements: what grows with it has to be seen.
"""

import sys
from pathlib import Path

import pytest

from alloop.campaigns.load import load_spec, ready_campaigns
from alloop.errors import DataError
from alloop.loop.commands.app import main
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from alloop.public_data.datasets import VARIABLE, find_file, known
from benchmarks.ftcp.intermetallics import draw_prototypes
from benchmarks.house.ready_campaigns import Command, data_of, run_to_report, typed_in
from tests.end_to_end.perovskites import write_perovskites
from tests.end_to_end.small_budgets import SMALL
from tests.end_to_end.tables import write_binaries, write_plate
from tests.loop.alloys import write_hea

FEWER = {
    # Relaxed by CHGNet, a second or two each, and each element in its reference crystal.
    "ftcp-formation-energy": ("budget.initial=4", "budget.rounds=1"),
}


EVERY = {"latent", "design", "importance", "evaluate"}
APPLIES = {
    "": {"evaluate"},
    "dvae": EVERY,
    "ftcp": EVERY - {"importance"},
    "lattice": EVERY,
    "pcdvae": EVERY - {"importance"},
}
"""Analyses that apply to a run, by its model; without one, those of what it predicted."""


def test_each_has_a_small_copy_of_all_its_elements() -> None:
    assert SMALL.keys() == ready_campaigns().keys()
    for name, settings in SMALL.items():
        assert load_spec(name, settings).space.elements == load_spec(name).space.elements


@pytest.fixture
def made_up_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables in the places of the published ones."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    write_hea(tmp_path / "data")
    cells = draw_prototypes(40, seed=4, elements=load_spec("ftcp-gap").space.elements)
    write_perovskites(tmp_path / "data" / "perov_5" / "train.csv", cells)
    for name, write in (("oer-3496", write_plate), ("binary-elasticity", write_binaries)):
        write(tmp_path / "data" / known(name).table)


@pytest.mark.usefixtures("made_up_data")
@pytest.mark.parametrize("name", SMALL)
def test_a_small_copy_comes_to_its_report(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def alloop(*words: str | Path) -> None:
        monkeypatch.setattr(sys, "argv", ["alloop", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise RuntimeError(capsys.readouterr().err) from end

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    run = tmp_path / "run"
    run_to_report(name, run, alloop, (*SMALL[name], *FEWER.get(name, ())))
    state = RunFolder.read(run).state
    assert state.closed is not None
    assert len(state.answers()) >= state.spec.budget.initial
    assert verify(run).ok
    each_analysis_runs_or_is_refused_in_words(run, alloop)


def each_analysis_runs_or_is_refused_in_words(run: Path, alloop: Command) -> None:
    """Give each command that asks the model; those that do not apply name others that do."""
    state = RunFolder.read(run).state
    name = state.spec.objectives[0].property
    values = [m.properties[name] for m in state.answers()]
    target = f"{name}={sum(values) / len(values)!r}"
    applies = APPLIES[state.spec.model.kind if state.models else ""]
    for words in (
        ("latent", run, "--format", "csv"),
        ("design", run, "--target", target, "-n", "2"),
        ("importance", run),
        ("evaluate", run, "-n", "3"),
    ):
        if words[0] in applies:
            alloop(*words)
            continue
        with pytest.raises(RuntimeError) as refusal:
            alloop(*words)
        assert any(f"alloop {other}" in str(refusal.value) for other in applies), words[0]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ready_campaigns())
def test_at_its_ready_budget_it_comes_to_its_report(name: str, tmp_path: Path) -> None:
    for data_set in data_of(name):
        try:
            find_file(data_set)
        except DataError as error:
            pytest.skip(str(error))
    run = tmp_path / "run"
    run_to_report(name, run, typed_in(tmp_path / "home"))
    assert verify(run).ok
