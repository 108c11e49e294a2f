"""`alloop compare`: tables, the page and the JSON of made-up runs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alloop.errors import RunError
from alloop.loop.commands.registry import app
from alloop.loop.compare.as_json import comparison_to_json
from alloop.loop.compare.comparison import compare
from alloop.loop.compare.options import band_named, labels_in, reference_in
from alloop.loop.compare.page import render_comparison
from tests.loop.compare.strategies import run_of
from tests.loop.compare.test_comparison import both, fronts
from tests.loop.report.reading import read

NASTY = "</script><script>alert(1)</script>"


def said(*words: str | Path) -> str:
    """Return what the command prints."""
    done = CliRunner().invoke(app, ["compare", *map(str, words)], env={"COLUMNS": "200"})
    assert done.exception is None, done.output
    return done.output


def test_the_command_prints_tables_and_writes_files(tmp_path: Path) -> None:
    page, file = tmp_path / "page.html", tmp_path / "all.json"
    text = said(*both(tmp_path), "--html", page, "--json", file)
    assert "bulk modulus (GPa): median and quartiles over seeds" in text
    assert "151 (145.5 to 156.5)" in text  # of 140, 151, 162
    assert "0.25 two-sided" in text
    assert "at 3 labels" in said(*both(tmp_path / "again"), "--at", "3", "--at", "4")
    assert "Plotly" in read(page.read_text("utf-8")).library("plotly")
    found = json.loads(file.read_text())
    ours, random = found["groups"]
    assert [run["curve"][-1] for run in ours["runs"]] == [140, 151, 162]
    assert random["curve"]["middle"] == [101, 111, 112, 114]
    assert random["regret"][-1] == 162 - 114
    (contrast,) = found["contrasts"]
    assert contrast["differences"] == [29, 37, 45]
    assert contrast["targets"][0]["acceleration"] == pytest.approx(4 / 3)
    # at least 114 after four labels: 2 of each of ours, 0, 1 and 1 of random's
    assert contrast["targets"][0]["enhancement_found"] == pytest.approx(3.0)
    assert contrast["p"]["wilcoxon"] == pytest.approx(0.25)


def test_json_holds_what_is_shown_and_null_for_what_is_not_known(tmp_path: Path) -> None:
    goal = {"objectives": [{"property": "bulk_modulus", "goal": "minimise"}]}
    runs = [
        run_of(tmp_path / "a", [None, 90, 80], **goal),
        run_of(tmp_path / "b", [None, 95, 60], strategy="latent-bo", **goal),
    ]
    found = comparison_to_json(compare(runs, targets=[50]))
    json.dumps(found, allow_nan=False)
    assert found["groups"][0]["curve"]["middle"] == [None, 90, 80]
    assert found["groups"][0]["runs"][0]["failed"] == 1
    assert found["contrasts"][0]["targets"][0]["labels"] is None
    assert found["contrasts"][0]["targets"][0]["target"] == 50
    assert found["contrasts"][0]["problem"].startswith("a single pair")


def test_the_page_needs_nothing_else_and_obeys_no_name(tmp_path: Path) -> None:
    runs = both(tmp_path)
    html = render_comparison(compare(labels={NASTY: runs[:3], "random": runs[3:]}))
    page = read(html)
    assert NASTY not in html
    policies = [e.attributes.get("content", "") for e in page.named("meta")]
    assert any(policy.startswith("default-src 'none'; script-src 'sha256-") for policy in policies)
    assert not [
        e
        for e in page.elements
        if {"src", "href"} & e.attributes.keys()
        and not e.attributes.get("href", "data:").startswith(("data:", "#"))
    ]
    figures = json.loads(next(e.text for e in page.named("script") if e.attributes.get("id")))
    assert set(figures) == {"best", "regret-figure", "acceleration", "enhancement"}
    middle = [trace for trace in figures["best"]["data"] if trace.get("showlegend", True)]
    assert [trace["y"] for trace in middle] == [[101, 111, 131, 151], [101, 111, 112, 114]]
    assert "Holm" not in page.words  # a single comparison has nothing to correct


def test_fronts_are_drawn_for_several_objectives(tmp_path: Path) -> None:
    runs = fronts(tmp_path)
    page = read(render_comparison(compare(runs)))
    figures = json.loads(next(e.text for e in page.named("script") if e.attributes.get("id")))
    drawn = [sorted(zip(t["x"], t["y"], strict=True)) for t in figures["front-figure"]["data"]]
    assert drawn == [[(90, 8.5), (100, 9), (110, 10)], [(130, 9)]]
    text = said(*runs)
    assert "reference point bulk_modulus 86, density 9.05" in text
    assert "distance from the hypervolume of all these runs' labels together" in text
    assert "hypervolume ratio" in text


def test_options_are_read() -> None:
    assert labels_in(["ours=a,b"]) == {"ours": [Path("a"), Path("b")]}
    assert reference_in(["density=9"]) == {"density": 9.0}
    assert reference_in([]) is None
    for wrong in ("ours", "=a", "ours="):
        with pytest.raises(RunError, match="names no runs"):
            labels_in([wrong])
    with pytest.raises(RunError, match="stands twice"):
        labels_in(["a=x", "a=y"])
    for wrong in ("density", "density=heavy", "density=nan"):
        with pytest.raises(RunError, match="has no number"):
            reference_in([wrong])
    with pytest.raises(RunError, match="quartiles or standard-error"):
        band_named("range")
