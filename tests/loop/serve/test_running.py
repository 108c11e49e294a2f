"""The command: one port, one server; a campaign that ends and goes on; a page that follows it."""

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from alloop.loop.record.events import CampaignClosed
from alloop.loop.record.ledger import Ledger
from alloop.loop.run_folder import RunFolder
from tests.loop.report.browser import launched
from tests.loop.report.runs import written_run
from tests.loop.report.synthetic import Diary

COMMAND = [sys.executable, "-c", "from alloop.loop.commands.app import main; main()", "serve"]


@pytest.fixture
def run(closed: Diary, tmp_path: Path) -> Path:
    """A run as it was before its campaign was closed."""
    folder = written_run(closed, tmp_path / "whole")
    open_run = tmp_path / "runs" / "one"
    with Ledger.open(open_run, writable=True) as ledger:
        for each in closed.entries:
            if not isinstance(each.event, CampaignClosed):
                ledger.append(each.event)
    (folder / "artifacts").rename(open_run / "artifacts")
    return open_run


@pytest.fixture
def address(run: Path) -> Iterator[str]:
    """Address of a server of the run's folder."""
    with subprocess.Popen(
        [*COMMAND, str(run.parent), "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def next_version(news: IO[bytes]) -> str:
    """Return the version of the next server-sent event that has one."""
    while line := news.readline():
        if line.startswith(b"data: ") and (version := line[6:].strip()):
            return version.decode()
    raise AssertionError("the server ended the connection")


def test_a_page_is_told_of_a_campaign_that_ends_and_goes_on(address: str, run: Path) -> None:
    page = f"{address}runs/one/"
    first = urllib.request.urlopen(page).read().decode()
    with urllib.request.urlopen(f"{page}events", timeout=60) as news:
        assert news.headers["content-type"].startswith("text/event-stream")
        versions = [next_version(news)]
        assert f'data-version="{versions[0]}"' in first
        with Ledger.open(run, writable=True) as ledger:
            ledger.append(CampaignClosed(reason="all rounds are done"))
        while '<span class="badge done">closed</span>' not in (
            shown := urllib.request.urlopen(page).read().decode()
        ):
            versions.append(next_version(news))
        assert RunFolder.read(run).head in shown
    port = address.rstrip("/").rpartition(":")[2]
    done = subprocess.run(
        [*COMMAND, str(run.parent), "--port", port], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "another program listens there" in done.stderr
    assert "--port" in done.stderr


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, str(tmp_path / "nothing")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "there is no run, and no folder of runs, here" in done.stderr


def test_the_page_follows_and_keeps_what_its_reader_chose(address: str, run: Path) -> None:
    with launched() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}runs/one/")
        page.wait_for_selector("html[data-complete]", timeout=60_000)
        page.locator("#filter").fill("chosen")
        page.locator(".toggle").first.click()
        page.locator("#filter").focus()
        page.locator("#record details summary").click()
        page.evaluate("document.getElementById('structure').dataset.same = 'yes'")
        top = "document.getElementById('decisions').getBoundingClientRect().top"
        page.evaluate("document.getElementById('decisions').scrollIntoView({behavior: 'instant'})")
        details, before = page.locator("dl.details").inner_text(), page.evaluate(top)
        shown = page.locator("#shown").inner_text()
        with Ledger.open(run, writable=True) as ledger:
            head = ledger.append(CampaignClosed(reason="all rounds are done")).hash
        page.wait_for_function(
            "(head) => document.querySelector('#record code').textContent === head",
            arg=head,
            timeout=60_000,
        )
        page.wait_for_selector("html[data-complete]", timeout=60_000)
        assert page.locator("#filter").input_value() == "chosen"
        assert page.locator("#shown").inner_text() == shown
        assert page.locator("dl.details").inner_text() == details
        assert page.locator("#record details").get_attribute("open") is not None
        assert page.evaluate(top) == pytest.approx(before, abs=2)
        assert page.locator("#structure").get_attribute("data-same") == "yes"
        assert page.locator("#structure canvas").count() == 1
        assert complaints == []
        assert all(url.startswith((address, "data:", "blob:")) for url in asked)
        browser.close()
