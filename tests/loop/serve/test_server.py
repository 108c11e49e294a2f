"""The live page answers whom it should, with what it should, and shows what became of a run."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.report.page import render_report
from alloop.loop.run_folder import RunFolder
from alloop.loop.serve.access import Access, is_loopback
from alloop.loop.serve.server import LiveServer
from alloop.loop.serve.watch import Watch
from tests.loop.report.runs import written_run
from tests.loop.report.synthetic import NASTY, Diary

TOKEN = "t" * 43
OPEN = Access("127.0.0.1", 8642, None)
GUARDED = Access("192.0.2.7", 8642, TOKEN)


@pytest.fixture
def runs(closed: Diary, tmp_path: Path) -> Path:
    """A folder with a run, and one that cannot be read."""
    folder = tmp_path / "runs"
    written_run(closed, folder / "good")
    (folder / "bad").mkdir()
    (folder / "bad" / LEDGER).write_text("no ledger")
    return folder


def ask(
    watch: Watch,
    path: str,
    *,
    access: Access = OPEN,
    method: str = "GET",
    host: str = "127.0.0.1:8642",
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Ask the application, as over the network."""

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(LiveServer(watch).app(access))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers={"host": host, **(headers or {})})

    return asyncio.run(answer())


def test_the_list_has_each_run_with_where_it_stands(runs: Path, closed: Diary) -> None:
    page = ask(Watch([runs]), "/").text
    assert page.index("bad") < page.index("good")
    assert '<a href="runs/good/">good</a>' in page
    best = closed.state.best()
    assert best is not None
    assert f"{best.properties['bulk_modulus']:.2f} GPa" in page
    assert "<strong>closed</strong>" in page
    assert "<strong>unreadable</strong>: this file was not written by Alloop" in page


def test_a_run_is_the_report_and_its_part_has_no_libraries(runs: Path) -> None:
    watch = Watch([runs])
    page, part = ask(watch, "/runs/good/").text, ask(watch, "/runs/good/part").text
    folder = RunFolder.read(runs / "good")
    report = render_report(folder.state, folder.store, head=folder.head)
    begin, end = '<section id="best">', "<script>"
    shown = page[page.index(begin) : page.index('<script type="application/gzip"')]
    assert shown in report
    assert 'id="library-plotly"' in page
    assert 'id="library-' not in part
    assert len(part) < len(page) - 600_000
    assert shown in part
    assert part.count(end) == page.count(end) == 1


def test_a_run_that_cannot_be_read_is_a_sentence_and_comes_back(runs: Path, closed: Diary) -> None:
    watch = Watch([runs])
    answer = ask(watch, "/runs/bad/")
    assert answer.status_code == 200
    assert "This run cannot be shown: this file was not written by Alloop" in answer.text
    (runs / "bad" / LEDGER).unlink()
    written_run(closed, runs / "bad")
    assert 'data-kind="report"' in ask(watch, "/runs/bad/").text


def test_a_run_whose_artifacts_are_gone_is_a_sentence(runs: Path) -> None:
    (runs / "good" / "artifacts").rename(runs / "elsewhere")
    page = ask(Watch([runs]), "/runs/good/").text
    assert "This run cannot be shown" in page
    assert 'data-kind="sentence"' in page


def test_a_replaced_run_says_so_on_its_page(runs: Path, closed: Diary) -> None:
    watch = Watch([runs])
    before = ask(watch, "/runs/good/").text
    assert "was replaced" not in before
    (runs / "good").rename(runs.parent / "old")
    assert "there is no campaign here" in ask(watch, "/runs/good/").text
    written_run(closed, runs / "good")
    assert "the run was replaced while it was served" in ask(watch, "/runs/good/").text


def test_one_run_alone_is_its_page(runs: Path) -> None:
    watch = Watch([runs / "good"])
    answer = ask(watch, "/")
    assert answer.headers["location"] == "runs/good/"
    assert "All runs" not in ask(watch, "/runs/good/").text


def test_names_are_escaped_and_runs_of_one_name_are_told_apart(
    closed: Diary, tmp_path: Path
) -> None:
    name = NASTY.replace("/", "")
    for parent in ("one", "other"):
        written_run(closed, tmp_path / parent / name)
    watch = Watch([tmp_path / "one", tmp_path / "other"])
    assert list(watch.runs) == [name, f"{name}-2"]
    page = ask(watch, "/").text
    assert "<img" not in page
    assert page.count("<script>") == 1
    addresses = [run.row.address for run in watch.runs.values()]
    for address in addresses:
        assert 'data-kind="report"' in ask(watch, f"/{address}").text


@pytest.mark.parametrize(
    "path", ["/runs/other/", "/runs/..%2f..%2fetc/", "/nothing", "/runs/x/events"]
)
def test_what_is_not_there_is_a_sentence(runs: Path, path: str) -> None:
    answer = ask(Watch([runs]), path)
    assert answer.status_code == 404
    assert "here." in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reading_is_answered(runs: Path, method: str) -> None:
    answer = ask(Watch([runs]), "/", method=method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/runs/good/", "/events", "/runs/good/events"])
def test_head_is_answered_and_ends(runs: Path, path: str) -> None:
    assert ask(Watch([runs]), path, method="HEAD").status_code == 200


@pytest.mark.parametrize("path", ["/", "/runs/good/", "/runs/bad/", "/nothing"])
def test_every_answer_keeps_other_sites_out(runs: Path, path: str) -> None:
    headers = ask(Watch([runs]), path, headers={"origin": "http://evil.example"}).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8642", 200),
        ("localhost:8642", 200),
        ("[::1]:8642", 200),
        ("evil.example:8642", 421),
        ("127.0.0.1.evil.example:8642", 421),
        ("localhost:8643", 421),
        ("localhost", 421),
        ("", 421),
    ],
)
def test_another_name_for_this_machine_is_not_answered(runs: Path, host: str, status: int) -> None:
    assert ask(Watch([runs]), "/", host=host).status_code == status


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("/", {}, "is missing"),
        ("/runs/good/events", {}, "is missing"),
        ("/?token=wrong", {}, "is wrong"),
        ("/?token=", {}, "is wrong"),
        ("/", {"authorization": f"Bearer {TOKEN}x"}, "is wrong"),
        ("/", {"cookie": "alloop-8642=no"}, "is wrong"),
        ("/", {"cookie": f"alloop-8643={TOKEN}"}, "is missing"),
    ],
)
def test_without_the_token_nothing_is_told(
    runs: Path, path: str, headers: dict[str, str], said: str
) -> None:
    answer = ask(Watch([runs]), path, access=GUARDED, headers=headers)
    assert answer.status_code == 401
    assert f"The access token {said}" in answer.text
    assert "good" not in answer.text


def test_the_token_opens_as_bearer_or_once_in_the_address(runs: Path) -> None:
    watch = Watch([runs])
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert "good" in ask(watch, "/", access=GUARDED, headers=bearer).text
    welcome = ask(watch, f"/runs/good/?token={TOKEN}", access=GUARDED)
    cookie = welcome.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert 'content="0; url=/runs/good/"' in welcome.text
    assert TOKEN not in welcome.text
    kept = {"cookie": cookie.partition(";")[0]}
    assert 'data-kind="report"' in ask(watch, "/runs/good/", access=GUARDED, headers=kept).text


def test_which_addresses_need_no_token() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.0.1", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.0.2.7", "node7"))
