"""The report as its reader meets it: in a browser, wide and narrow, light and dark, by keyboard."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alloop.loop.commands.registry import app
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.figures.trajectory import OtherRun
from alloop.loop.report.page import render_report, write_report
from tests.loop.report.browser import Opened, launched, opened, scroll_through
from tests.loop.report.runs import written_run
from tests.loop.report.synthetic import Diary, campaign, spec_of

SIZES = [(1440, "light"), (1440, "dark"), (360, "light"), (360, "dark")]
FILTERS = ["chosen", "bulk_modulus > 178", "Cr > 0.5", "chosen and Cr > 0.4 or rule = duplicate"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def run(closed: Diary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with its report."""
    folder = written_run(closed, tmp_path_factory.mktemp("browser") / "run")
    write_report(closed.state, closed.store, folder / "report.html", head=closed.head)
    return folder


@pytest.fixture
def seen(browser: Any, run: Path) -> Iterator[Opened]:
    with opened(browser, run / "report.html") as found:
        yield found


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_nothing_is_complained_of_or_fetched_and_all_is_drawn(
    browser: Any, run: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    with opened(browser, run / "report.html", width=width, scheme=scheme) as found:
        scroll_through(found.page)
        assert found.complaints == []
        assert found.requests == []
        assert found.page.evaluate("document.documentElement.scrollWidth") == width
        drawn = found.page.evaluate(
            "[...document.querySelectorAll('.plot')].map((p) => "
            "[p.id, p.querySelectorAll('.main-svg .point, .main-svg path.js-line').length])"
        )
        assert len(drawn) >= 7
        assert [id for id, n in drawn if n == 0] == []
        found.page.screenshot(path=tmp_path / f"report-{width}-{scheme}.png")


@pytest.mark.parametrize(
    ("width", "scheme"),
    # Width and scheme once each, all four nightly.
    [SIZES[0], *(pytest.param(*size, marks=pytest.mark.nightly) for size in SIZES[1:3]), SIZES[3]],
)
def test_axe_finds_nothing_serious(browser: Any, run: Path, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")
    with opened(browser, run / "report.html", width=width, scheme=scheme) as found:
        scroll_through(found.page)
        # The page's policy keeps scripts out that are added to it; axe is a tool of the test.
        found.page.evaluate(_axe_script(axe))
        result = found.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        grave = [
            (v["id"], v["impact"], [node["html"][:160] for node in v["nodes"][:3]])
            for v in result["violations"]
            if v["impact"] in ("serious", "critical")
        ]
        assert grave == []
        assert len(result["violations"]) <= 3


def _axe_script(module: Any) -> str:
    folder = Path(module.__file__).parent
    return (folder / "axe.min.js").read_text("utf-8")


def rows_in(page: Any) -> list[str]:
    """Return the candidates of every row that passes the filter, over all pages."""
    found: list[str] = []
    while True:
        cells = "[...document.querySelectorAll('#decision-table td.in-candidate')]"
        found += page.evaluate(f"{cells}.map((cell) => cell.title)")
        if page.locator("#next").is_disabled():
            return found
        page.locator("#next").click()


@pytest.mark.parametrize("text", FILTERS)
def test_the_table_filters_as_audit_does(seen: Opened, run: Path, text: str) -> None:
    done = CliRunner().invoke(app, ["audit", str(run), "--filter", text, "--format", "csv"])
    assert done.exception is None, done.output
    wanted = [row["candidate"] for row in csv.DictReader(io.StringIO(done.stdout))]
    assert wanted
    seen.page.locator("#filter").fill(text)
    assert rows_in(seen.page) == wanted
    assert f"of {len(wanted)} (" in seen.page.locator("#shown").inner_text()


def test_a_filter_that_cannot_be_read_says_why_and_changes_nothing(seen: Opened) -> None:
    before = seen.page.locator("#shown").inner_text()
    seen.page.locator("#filter").fill("hardness > 3")
    assert "there is no “hardness” here" in seen.page.locator("#filter-problem").inner_text()
    assert seen.page.locator("#filter").get_attribute("aria-invalid") == "true"
    assert seen.page.locator("#shown").inner_text() == before
    seen.page.locator("#filter").fill("chosen")
    assert seen.page.locator("#filter-problem").inner_text() == ""


def test_a_heading_sorts(seen: Opened) -> None:
    seen.page.locator("#filter").fill("measured")
    head = seen.page.locator("th", has_text="Measured bulk modulus").locator("button")
    head.click()
    head.click()
    cells = seen.page.locator("#decision-table td.in-bulk_modulus")
    values = [float(text) for text in cells.all_inner_texts() if text]
    assert len(values) > 10
    assert values == sorted(values, reverse=True)
    sorted_head = seen.page.locator("th[aria-sort]")
    assert sorted_head.get_attribute("aria-sort") == "descending"


def test_every_column_is_reachable_on_a_telephone(browser: Any, run: Path, closed: Diary) -> None:
    with opened(browser, run / "report.html", width=360) as found:
        found.page.locator("#filter").fill("best")
        found.page.locator(".toggle").first.click()
        told = found.page.locator(".details").inner_text()
        best = closed.state.best()
        assert best is not None
        decision = closed.state.decisions[best.candidate]
        for text in (best.candidate, decision.reason, "Source", "swap", "Cr fraction", "chosen"):
            assert text in told
        assert found.page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_structure_turns(seen: Opened) -> None:
    holder = seen.page.locator("#structure")
    assert holder.is_visible()
    assert not seen.page.locator(".drawing").is_visible()
    before = holder.screenshot()
    holder.focus()
    seen.page.keyboard.press("ArrowRight")
    turned = holder.screenshot()
    assert turned != before
    box = holder.bounding_box()
    seen.page.mouse.move(box["x"] + 100, box["y"] + 100)
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + 180, box["y"] + 120, steps=4)
    seen.page.mouse.up()
    assert holder.screenshot() != turned
    seen.page.locator("[data-turn='ArrowUp']").click()
    assert seen.complaints == []


def test_any_shown_structure_can_be_saved(seen: Opened, closed: Diary) -> None:
    from pymatgen.core import Structure  # noqa: PLC0415

    seen.page.locator("#structure-choice").select_option("1")
    with seen.page.expect_download() as waiting:
        seen.page.locator("#structure-save").click()
    name = waiting.value.suggested_filename
    (answer,) = [m for m in closed.state.answers() if m.candidate[:10] in name]
    saved = Structure.from_str(Path(waiting.value.path()).read_text(), fmt="cif")
    assert answer.relaxed is not None
    relaxed = closed.store.get_material(answer.relaxed)
    assert isinstance(relaxed, Structure)
    assert saved.matches(relaxed)


def test_everything_can_be_reached_by_keyboard(seen: Opened) -> None:
    reached = set()
    for _ in range(400):
        seen.page.keyboard.press("Tab")
        reached.add(
            seen.page.evaluate(
                "document.activeElement.id || document.activeElement.dataset.turn || "
                "document.activeElement.className"
            )
        )
        if "next" in reached:
            break
    wanted = {"theme", "structure", "structure-choice", "structure-save", "structure-bonds"}
    wanted |= {"filter", "sort", "all-columns", "next", "ArrowLeft", "chip"}
    assert wanted <= reached
    seen.page.locator("#next").focus()
    before = seen.page.locator("#shown").inner_text()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("#shown").inner_text() != before


def test_the_theme_can_be_turned_round(seen: Opened) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    scroll_through(seen.page)
    light = seen.page.evaluate(colour)
    seen.page.locator("#theme").click()
    dark = seen.page.evaluate(colour)
    assert light == "rgb(255, 255, 255)"
    assert dark == "rgb(18, 22, 28)"
    grid = seen.page.locator("#trajectory .gridlayer path").first
    assert "rgb(42, 48, 56)" in (grid.get_attribute("style") or "")


def test_paper_is_light_and_has_every_figure(seen: Opened) -> None:
    seen.page.locator("#theme").click()
    seen.page.emulate_media(media="print")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert seen.page.locator(".drawing").is_visible()
    assert not seen.page.locator("#structure").is_visible()
    assert not seen.page.locator("#filter").is_visible()
    pdf = seen.page.pdf()
    assert pdf.startswith(b"%PDF")


def test_a_warning_leads_to_its_decisions(browser: Any, tmp_path: Path) -> None:
    diary = campaign(spec_of(), ArtifactStore(tmp_path / "store"), rounds=1, fail_every=3)
    path = tmp_path / "report.html"
    write_report(diary.state, diary.store, path, head=diary.head)
    with opened(browser, path) as found:
        found.page.locator("[data-filter='failed and tier = 0']").click()
        failed = [m.candidate for m in diary.state.measured.values() if m.status == "failed"]
        assert sorted(rows_in(found.page)) == sorted(failed)


def test_an_empty_report_opens(browser: Any, tmp_path: Path) -> None:
    diary = Diary(spec_of(), ArtifactStore(tmp_path / "store"))
    path = tmp_path / "report.html"
    write_report(diary.state, diary.store, path, head=diary.head)
    with opened(browser, path) as found:
        assert found.page.locator("#shown").inner_text() == "none"
        assert found.complaints == []


def test_other_runs_are_drawn_beside(browser: Any, closed: Diary, tmp_path: Path) -> None:
    other = campaign(spec_of(seed=8), ArtifactStore(tmp_path / "other"), rounds=2)
    page = render_report(
        closed.state,
        closed.store,
        head=closed.head,
        beside=[OtherRun("<b>other</b>", other.state)],
    )
    path = tmp_path / "report.html"
    path.write_text(page, "utf-8")
    with opened(browser, path) as found:
        scroll_through(found.page)
        legend = found.page.locator("#trajectory .legendtext").all_text_contents()
        assert "<b>other</b>" in legend
        table = found.page.locator("#progress table").inner_text()
        best = other.state.best()
        assert best is not None
        assert f"{best.properties['bulk_modulus']:.5g}" in table
        assert found.complaints == []
