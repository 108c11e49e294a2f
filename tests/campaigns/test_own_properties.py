"""Properties of one's own: declared in a spec, wanted, looked up, asked of people, reported."""

import csv
from pathlib import Path
from typing import Any

import pytest

from alloop.campaigns.load import parse_spec
from alloop.errors import SpecError
from alloop.loop.commands.printing.status_table import print_status
from alloop.loop.controller import Controller
from alloop.loop.people.labelling import record_file
from alloop.loop.people.requests.table import REQUESTS
from alloop.loop.report.page import write_run_report
from alloop.loop.run_folder import RunFolder
from tests.loop.observers import Silent

OWN: dict[str, Any] = {
    "name": "catalyst",
    "seed": 4,
    "space": {"kind": "compositions", "elements": ["Ni", "Fe", "Co"], "resolution": 0.0},
    "properties": {"overpotential": {"unit": "V"}, "loading": {"unit": "mg/cm²"}},
    "objectives": [{"property": "overpotential", "goal": "minimise", "unit": "V"}],
    "constraints": [{"property": "loading", "max": 0.5}],
    "acquisition": {"strategy": "random", "batch": 3},
    "budget": {"initial": 4, "rounds": 1, "measurements": [20]},
}
PEOPLE = {"tiers": [{"kind": "person", "properties": ["overpotential", "loading"]}]}


def write_plate(path: Path) -> Path:
    rows = [
        {"formula": f"Ni{i}Fe{10 - i}Co2", "eta": 0.3 + 0.01 * i, "mass": 0.1 * (i % 7)}
        for i in range(1, 10)
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["formula", "eta", "mass"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(folder: Path, spec: dict[str, Any]) -> RunFolder:
    with Controller(folder, parse_spec(spec, where="test"), observer=Silent()) as controller:
        controller.run()
    return RunFolder.read(folder)


def test_a_table_gives_them_and_status_and_report_name_their_units(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {
        "kind": "table",
        "file": str(write_plate(tmp_path / "plate.csv")),
        "properties": {"overpotential": "eta", "loading": "mass"},
    }
    acquisition = OWN["acquisition"] | {"candidates": "table"}
    found = run(tmp_path / "run", OWN | {"tiers": [table], "acquisition": acquisition})
    best = found.state.best()
    assert best is not None
    feasible = [m for m in found.state.answers() if m.properties["loading"] <= 0.5]
    assert best.properties["overpotential"] == min(m.properties["overpotential"] for m in feasible)
    print_status(found.path, found.state)
    assert f"{best.properties['overpotential']:.6g} V" in capsys.readouterr().out
    page = write_run_report(found).read_text("utf-8")
    assert "overpotential (V)" in page
    assert "mg/cm²" in page


def test_people_are_asked_for_them(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(folder, OWN | PEOPLE)
    with (folder / REQUESTS).open() as file:
        rows = list(csv.DictReader(file))
    assert {"overpotential", "loading"} <= set(rows[0])
    for place, row in enumerate(rows):
        row |= {"overpotential": str(0.3 + 0.02 * place), "loading": "0.2"}
    filled = tmp_path / "filled.csv"
    with filled.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    record_file(folder, filled)
    best = RunFolder.read(folder).state.best()
    assert best is not None
    assert best.properties == {"overpotential": 0.3, "loading": 0.2}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"properties": {}}, r"objectives\.0\.property: unknown property 'overpotential'.*declare"),
        (
            {"objectives": [{"property": "overpotential", "goal": "minimise", "unit": "mV"}]},
            r"objectives\.0\.unit: overpotential is in V, not in 'mV'",
        ),
        (
            {"properties": OWN["properties"] | {"bulk_modulus": {"unit": "kbar"}}},
            r"properties\.bulk_modulus\.unit: bulk_modulus is in GPa, not in 'kbar'",
        ),
        ({"properties": OWN["properties"] | {"tier": {"unit": "–"}}}, r"tier is a column's name"),
        ({"properties": OWN["properties"] | {"Über": {"unit": "V"}}}, r"properties\.Über"),
        ({"properties": OWN["properties"] | {"gain": {"unit": "a\nb"}}}, r"properties\.gain\.unit"),
        (
            {"tiers": [{"kind": "person", "properties": ["overpotential", "loading", "colour"]}]},
            r"tiers\.0: unknown property 'colour'",
        ),
    ],
)
def test_what_is_not_declared_or_in_another_unit_is_refused(
    changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SpecError, match=problem):
        parse_spec(OWN | PEOPLE | changes, where="test")
