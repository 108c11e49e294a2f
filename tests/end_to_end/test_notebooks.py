"""The notebooks of the ready campaigns: each is executed, and shows what it is there to show.

The cheapest always, on made-up data; the others in the nightly run, on data sets at hand, that
of perovskites on made-up ones.
"""

import re
from pathlib import Path

import nbformat
import pytest

from alloop.campaigns.load import load_spec, ready_campaigns
from alloop.public_data.datasets import VARIABLE, known
from benchmarks.ftcp.intermetallics import draw_prototypes
from docs._site.notebooks import ROOT, SOURCES, as_page, executed, missing_data
from tests.end_to_end.perovskites import write_perovskites
from tests.end_to_end.tables import write_plate

CHEAP = ("oer",)
DEAR = sorted(SOURCES.keys() - set(CHEAP))


def test_every_ready_campaign_has_one_that_the_page_and_the_site_name() -> None:
    assert SOURCES.keys() == ready_campaigns().keys()
    page, site = ((ROOT / name).read_text("utf-8") for name in ("docs/ready.md", "mkdocs.yml"))
    assert set(re.findall(r"\(notebooks/([\w-]+)\.md\)", page)) == SOURCES.keys()
    assert set(re.findall(r"notebooks/([\w-]+)\.md\n", site)) == SOURCES.keys()


@pytest.mark.parametrize("name", CHEAP)
def test_it_runs_and_shows_a_decision_a_table_and_a_picture(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    write_plate(tmp_path / "data" / known("oer-3496").table)
    shows_what_it_should(name, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("name", DEAR)
def test_a_dear_one_does_too(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "ftcp-gap":
        monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
        cells = draw_prototypes(60, seed=4, elements=load_spec(name).space.elements)
        write_perovskites(tmp_path / "data" / known("perov-5").table, cells)
    if problem := missing_data(name):
        pytest.skip(problem)
    shows_what_it_should(name, tmp_path)


def shows_what_it_should(name: str, folder: Path) -> None:
    notebook = executed(name, folder)
    shown = [
        output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())
    ]
    html = [each["text/html"] for each in shown if "text/html" in each]
    assert any("<th" in each and "candidate" in each and "why" in each for each in html)
    assert any('class="dataframe"' in each for each in html)
    assert any("image/png" in each for each in shown)
    assert not any(o.get("name") == "stderr" for c in notebook.cells for o in c.get("outputs", ()))
    nbformat.write(notebook, folder / f"{name}.ipynb")
    page, pictures = as_page(folder / f"{name}.ipynb")
    assert len(pictures) == 1
    assert all(f"]({address})" in page for address in pictures)
