"""`alloop init` writes campaigns that pass `alloop check`, or says why it writes none."""

import itertools
import sys
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from alloop.campaigns.editing.first_spec import SPACES, FirstAnswers, first_spec, tier_kinds
from alloop.campaigns.load import load_spec, parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import AlloopError
from alloop.files.yaml_text import parse_yaml
from alloop.loop.checking import check_campaign
from alloop.loop.commands.app import main

WISHES = (
    ("maximise", "bulk_modulus"),
    ("minimise", "formation_energy_per_atom"),
    ("maximise", "single_phase_probability"),
)
IMPOSSIBLE = {
    ("lammps", "single_phase_probability"): "does not measure single_phase_probability",
    ("dft", "single_phase_probability"): "does not measure single_phase_probability",
    ("lammps", "compositions"): "not compositions",
    ("dft", "compositions"): "not compositions",
    ("mlip", "single_phase_probability"): "does not measure single_phase_probability",
    ("mlip", "compositions"): "not compositions",
    ("table", "no file"): "a table needs its file",
}
"""Problem that is named for what a kind cannot do: of a property, a space, or without a file."""


def write_table(path: Path, space: str, name: str) -> Path:
    """Write a table that a tier of a first spec can be."""
    rows = [f"{'formula' if space == 'compositions' else 'cif'},{name}"]
    for place, element in enumerate(("Fe", "Cr")):
        crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.6), ["Ni"], [[0, 0, 0]])
        crystal.replace(0, element)
        first = f"Ni3{element}" if space == "compositions" else f'"{crystal.to(fmt="cif")}"'
        rows.append(f"{first},{place}")
    path.write_text("\n".join(rows) + "\n")
    return path


def written(answers: FirstAnswers) -> CampaignSpec:
    """Return the campaign that is written, once it has passed the check."""
    text = first_spec(answers, "schema.json")
    spec = parse_spec(parse_yaml(text, where="spec"), where="spec")
    assert check_campaign(spec) == ()
    return spec


COMBINATIONS = list(itertools.product(SPACES, WISHES, tier_kinds()))


@pytest.mark.parametrize(("space", "wish", "kind"), COMBINATIONS)
def test_every_combination_passes_check_or_is_refused_with_its_reason(
    space: str, wish: tuple[str, str], kind: str, tmp_path: Path
) -> None:
    goal, name = wish
    file = (
        write_table(tmp_path / "t.csv", space, name)
        if kind == "table" and space != "decorations"
        else None
    )
    answers = FirstAnswers(
        space=space, goal=goal, property=name, measured_by=kind, measurements=12, file=file
    )
    lacks_file = "no file" if file is None else ""
    keys = [(kind, name), (kind, space), (kind, lacks_file)]
    problems = [IMPOSSIBLE[key] for key in keys if key in IMPOSSIBLE]
    if problems:
        with pytest.raises(AlloopError) as refused:
            written(answers)
        assert any(problem in str(refused.value) for problem in problems)
        return
    spec = written(answers)
    assert spec.space.kind == space
    assert spec.objectives[0].property == name
    assert spec.budget.measurements == (12,)


def alloop(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["alloop", *words])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_the_command_writes_a_file_that_loads_and_overwrites_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("init", "mine", "--yes", "--elements", "Ni Fe", "--measurements", "20")
    assert alloop(monkeypatch, *words) == 0
    spec = load_spec(tmp_path / "mine.yaml")
    assert spec.space.elements == ("Ni", "Fe")
    first = (tmp_path / "mine.yaml").read_text("utf-8").partition("\n")[0]
    assert Path(first.partition("$schema=file://")[2]).is_file()
    before = (tmp_path / "mine.yaml").read_bytes()
    assert alloop(monkeypatch, *words) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "mine.yaml").read_bytes() == before


def test_five_questions_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def answer(question: str, default: str) -> str:
        asked.append(question)
        return default

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("typer.prompt", answer)
    assert alloop(monkeypatch, "init", "mine") == 0
    assert len(asked) == 5
    assert load_spec(tmp_path / "mine.yaml").objectives[0].property == "bulk_modulus"


def test_nothing_is_written_where_the_check_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("init", "mine", "--yes", "--elements", "Np Pa", "--goal", "maximise bulk_modulus")
    assert alloop(monkeypatch, *words) == 2
    assert "no potential that comes along covers Np, Pa" in " ".join(
        capsys.readouterr().err.split()
    )
    assert not list(tmp_path.iterdir())
