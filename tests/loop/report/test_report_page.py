"""The report is one file that shows the campaign, loads nothing and trusts no text."""

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.offline import get_plotlyjs_version
from pymatgen.core import Structure

from alloop.errors import LedgerError
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.page import island, render_report, write_report
from alloop.loop.state.folding.fold import fold
from tests.loop.report.conftest import render
from tests.loop.report.reading import Page, read
from tests.loop.report.synthetic import NASTY, Diary, campaign, spec_of

MakeDiary = Callable[..., Diary]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def seen(page: str) -> Page:
    return read(page)


def test_the_best_candidate_is_shown_with_its_values_and_margin(closed: Diary, seen: Page) -> None:
    best = closed.state.best()
    assert best is not None
    energy = best.properties["formation_energy_per_atom"]
    assert best.candidate[:10] in seen.words
    assert f"{best.properties['bulk_modulus']:.2f} GPa" in seen.words
    assert f"{0.08 - energy:.4f} eV/atom inside" in seen.words
    # Subscripts stand apart from the symbols they follow.
    formula = closed.state.decisions[best.candidate].formula
    assert " ".join(re.findall(r"[A-Z][a-z]?|\d+", formula)) in seen.words


def test_what_was_sought_is_said_in_words(seen: Page) -> None:
    assert (
        "Maximise bulk modulus (GPa) with formation energy per atom ≤ 0.08 eV/atom over "
        "Ni–Fe–Cr, each 10 to 60 at.%, fcc and bcc, 16 atoms." in seen.words
    )


def test_the_cif_is_of_the_best_candidate_as_relaxed(closed: Diary, seen: Page) -> None:
    best = closed.state.best()
    assert best is not None
    assert best.relaxed is not None
    relaxed = closed.store.get_material(best.relaxed)
    assert isinstance(relaxed, Structure)
    (link,) = [a for a in seen.named("a") if "download" in a.attributes]
    kind, _, content = link.attributes["href"].partition(",")
    assert kind == "data:chemical/x-cif;charset=utf-8"
    text = unquote(content)
    assert [pre.text for pre in seen.named("pre") if pre.attributes.get("id") == "cif"] == [text]
    read_back = Structure.from_str(text, fmt="cif")
    assert read_back.composition == relaxed.composition
    np.testing.assert_allclose(read_back.lattice.abc, relaxed.lattice.abc, atol=1e-4)


def test_every_decision_is_in_the_table_in_its_order(closed: Diary, seen: Page) -> None:
    table = seen.island("decision-data")
    decisions = [d for proposal in closed.state.proposals for d in proposal.decisions]
    assert len(decisions) > 60
    shown = table["rows"]
    assert [row["candidate"] for row in shown] == [d.candidate for d in decisions]
    assert [row["decision"] for row in shown] == [d.rule or "chosen" for d in decisions]
    assert [row["reason"] for row in shown] == [d.reason for d in decisions]
    values = {m.candidate: m.properties.get("bulk_modulus") for m in closed.state.measured.values()}
    assert [row["bulk_modulus"] for row in shown if row["decision"] == "chosen"] == [
        values[d.candidate] for d in decisions if d.chosen
    ]


def test_a_posterior_is_shown_beside_what_was_measured(closed: Diary, seen: Page) -> None:
    table = seen.island("decision-data")
    decisions = [d for proposal in closed.state.proposals for d in proposal.decisions]
    for row, decision in zip(table["rows"], decisions, strict=True):
        posterior = decision.posterior.get("bulk_modulus")
        shown = row["expected_bulk_modulus"], row["expected_bulk_modulus_std"]
        assert shown == ((None, None) if posterior is None else (posterior.mean, posterior.std))


def test_every_failure_is_listed(closed: Diary, seen: Page) -> None:
    failed = [m for m in closed.state.measured.values() if m.status == "failed"]
    assert len(failed) >= 3
    assert seen.words.count(" ".join(NASTY.split())) == len(failed)


def test_markup_in_a_message_stays_text(page: str, seen: Page) -> None:
    assert NASTY not in page
    assert not seen.named("img")
    assert len(seen.programs) == 1
    for element in seen.elements:
        assert not [name for name in element.attributes if name.startswith("on")]


def test_a_script_in_a_reason_cannot_leave_the_json(page: str, seen: Page) -> None:
    reasons = [cell for row in seen.island("decision-data")["rows"] for cell in row.values()]
    assert f"made up: {NASTY}" in reasons
    # Of opening tags there are those of the template, and none from the data.
    n = len(seen.named("script"))
    assert {e.attributes.get("id") for e in seen.named("script")} == {
        "figure-data",
        "theme-data",
        "decision-data",
        "library-plotly",
        "library-3dmol",
        "structure-data",
        None,
    }
    assert len(re.findall("(?i)<script", page)) == n
    assert len(re.findall("(?i)</script", page)) == n


def test_markup_in_a_formula_is_no_markup_in_a_figure_either(closed: Diary) -> None:
    state = closed.state
    first = state.proposals[0]
    decisions = tuple(d.model_copy(update={"formula": NASTY}) for d in first.decisions)
    nasty = first.model_copy(update={"decisions": decisions})
    state = type(state)(**vars_of(state) | {"proposals": (nasty, *state.proposals[1:])})
    found = read(render_report(state, closed.store, head=closed.head))
    hovers = str(found.island("figure-data"))
    assert "&lt;/script&gt;" in hovers  # Plotly would read an unescaped < as markup
    assert "<script" not in hovers
    assert "<img" not in hovers
    assert not found.named("img")


def vars_of(state: Any) -> dict[str, Any]:
    return {name: getattr(state, name) for name in state.__dataclass_fields__}


@given(st.text())
def test_any_text_survives_an_island_and_cannot_leave_it(text: str) -> None:
    import json  # noqa: PLC0415

    written = island({"text": text})
    assert json.loads(written) == {"text": text}
    assert not set("<>&\u2028\u2029") & set(written)


def test_nothing_is_fetched(page: str, seen: Page) -> None:
    for element in seen.elements:
        for name, value in element.attributes.items():
            if name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href"):
                assert value.startswith(("#", "data:")), (element.tag, name)
    (style,) = seen.named("style")
    assert "url(" not in style.text
    assert "@import" not in style.text
    (vendored,) = re.findall(r"plotly.js \(basic - minified\) v([0-9.]+)", seen.library("plotly"))
    # Figures are made for the library that Plotly itself brings: the same major version.
    assert vendored.split(".")[0] == get_plotlyjs_version().split(".")[0]


def test_only_our_script_and_what_it_unpacks_may_run_and_nothing_may_load(seen: Page) -> None:
    (policy,) = [
        meta.attributes["content"]
        for meta in seen.named("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    scripts = [
        *(script.text for script in seen.programs),
        seen.library("plotly"),
        seen.library("3dmol"),
    ]
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    expected = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == expected
    assert "connect-src" not in rules
    assert set(rules["img-src"].split()) == {"data:", "blob:"}


def test_figures_offer_no_upload(seen: Page) -> None:
    assert "showSendToCloud: false" in seen.programs[0].text
    assert "displaylogo: false" in seen.programs[0].text


def test_every_figure_has_its_place(seen: Page) -> None:
    places = {e.attributes["id"] for e in seen.named("div") if e.attributes.get("class") == "plot"}
    figures = seen.island("figure-data")
    assert places == set(figures)
    assert set(figures) == {
        "budget",
        "trajectory",
        "composition",
        "parity-bulk_modulus",
        "parity-formation_energy_per_atom",
        "gain",
        "outcomes",
        "hull-0",
    }


def test_no_figure_needs_webgl(seen: Page) -> None:
    # WebGL traces compile code from text, which the page's policy forbids.
    kinds = {t["type"] for f in seen.island("figure-data").values() for t in f["data"]}
    assert kinds <= {"scatter", "bar"}


def test_the_record_is_named(closed: Diary, seen: Page) -> None:
    assert closed.head in seen.words
    assert closed.fingerprints[0] in seen.words
    assert "torch 2.13.0" in seen.words
    assert "property: bulk_modulus" in seen.words


def test_the_same_state_gives_the_same_bytes_in_another_process(
    closed: Diary, page: str, tmp_path: Path
) -> None:
    program = (
        "import hashlib, sys; from pathlib import Path\n"
        "from alloop.loop.record.artifacts import ArtifactStore\n"
        "from tests.loop.report.conftest import render\n"
        "from tests.loop.report.synthetic import campaign, spec_of\n"
        "html = render(campaign(spec_of(), ArtifactStore(Path(sys.argv[1]))))\n"
        "print(hashlib.sha256(html.encode()).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(page.encode()).hexdigest()


def test_a_campaign_that_has_only_been_opened(diary: MakeDiary) -> None:
    found = read(render(diary()))
    assert "No measurement has succeeded yet." in found.words
    assert found.island("decision-data")["rows"] == []
    assert found.island("figure-data") == {}


def test_a_campaign_with_nothing_but_its_initial_draw(diary: MakeDiary) -> None:
    early = diary()
    early.initial()
    found = read(render(early))
    assert "No model has been trained yet." in found.words
    assert "No prediction has been put to the test yet." in found.words
    assert set(found.island("figure-data")) == {
        "budget",
        "trajectory",
        "composition",
        "outcomes",
        "hull-0",
    }


def test_a_campaign_whose_measurements_all_failed(diary: MakeDiary) -> None:
    early = diary(fail_every=1)
    early.initial()
    early.close("no labels: every initial measurement failed")
    found = read(render(early))
    assert "No measurement has succeeded yet." in found.words
    assert "no labels: every initial measurement failed" in found.words
    assert set(found.island("figure-data")) == {"budget", "outcomes"}


def test_a_campaign_without_a_feasible_candidate_shows_the_closest(diary: MakeDiary) -> None:
    early = diary(spec_of(constraints=[{"property": "formation_energy_per_atom", "max": -5}]))
    early.initial()
    best = early.state.best()
    assert best is not None
    found = read(render(early))
    assert "Closest so far" in found.words
    assert "No candidate meets every constraint yet" in found.words
    miss = best.properties["formation_energy_per_atom"] + 5
    assert f"{miss:.4f} eV/atom outside" in found.words


def test_compositions_have_no_lattice_and_no_cif(diary: MakeDiary, tmp_path: Path) -> None:
    found = read(
        render(campaign(spec_of(), ArtifactStore(tmp_path / "store"), compositions_only=True))
    )
    assert "each 10 to 60 at.%" in found.words
    assert not [a for a in found.named("a") if "download" in a.attributes]
    keys = [column["key"] for column in found.island("decision-data")["columns"]]
    assert "lattice" not in keys


@pytest.mark.parametrize(
    ("elements", "has_composition"),
    [(["Cr"], False), (["Ni", "Cr"], True), (["Ni", "Fe", "Cr", "Co", "Mn"], True)],
)
def test_any_number_of_elements(tmp_path: Path, elements: list[str], has_composition: bool) -> None:
    spec = spec_of(space={"elements": elements, "atoms": 16}, augmentation=None)
    early = Diary(spec, ArtifactStore(tmp_path))
    early.initial()
    figures = read(render(early)).island("figure-data")
    assert ("composition" in figures) is has_composition


def test_a_running_campaign_says_what_is_pending(closed: Diary) -> None:
    answers = [e for e in closed.entries if e.event.kind == "measured"]
    state = fold(closed.entries[: answers[5].seq])
    assert state is not None
    found = read(render_report(state, closed.store, head=answers[5].hash))
    n = len(state.pending)
    assert n > 1
    assert f"{n} measurements asked for and not yet answered" in found.words
    table = found.island("decision-data")
    assert [row["result"] for row in table["rows"]].count("pending") == n
    assert sum(row["pending"] for row in table["rows"]) == n


def test_a_report_is_replaced_as_a_whole(closed: Diary, page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("an older report")
    write_report(closed.state, closed.store, path, head=closed.head)
    assert path.read_text("utf-8") == page
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_lost_structure_is_an_error_and_leaves_the_old_report(
    closed: Diary, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text("an older report")
    with pytest.raises(LedgerError, match="cannot be read"):
        write_report(closed.state, ArtifactStore(tmp_path / "empty"), path, head=closed.head)
    assert path.read_text() == "an older report"
