"""The report in a browser: how large it is, and how soon it can be used.

Seconds are the browser's own, from the beginning of the navigation until the table of decisions is
filled and the first figures are drawn, the median of some tries, each in a browser of its own; a
machine without a graphics card draws with its processor. Needs Chromium.
"""

import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.command_line import alloop
from benchmarks.trust.long_run import write_run

TRIES = 5
EVENTS = 10_000
MEGABYTE = 1e6
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
FILTER = "chosen and Cr > 0.3 or bulk_modulus > 180"


def measure() -> dict[str, float]:
    """Return the sizes of an empty report and of one about 10,000 events, and the seconds that
    the latter takes to open and to filter."""
    with tempfile.TemporaryDirectory(prefix="alloop-report-") as folder:
        empty = report_of(Path(folder) / "empty", 3)
        long = report_of(Path(folder) / "long", EVENTS)
        tries = [open_times(long) for _ in range(TRIES)]
        return {
            "report_megabytes_empty": _megabytes(empty),
            "report_megabytes_10k": _megabytes(long),
            "report_decisions_10k": tries[0]["decisions"],
            **{
                f"report_{name}_seconds_10k": round(statistics.median(t[name] for t in tries), 3)
                for name in ("open", "structure", "filter")
            },
        }


def report_of(run: Path, n_events: int) -> Path:
    """Write a made-up run of some events, and its report by the command; return the page."""
    write_run(run, n_events)
    subprocess.run(alloop("report", str(run)), check=True, capture_output=True)
    return run / "report.html"


def open_times(path: Path) -> Mapping[str, Any]:
    """Return the seconds until the page can be used (``open``), until the structure in three
    dimensions is there too (``structure``), and those of a filter over all decisions."""
    with browser_page() as page:
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-complete]", timeout=120_000)
        found = page.evaluate(
            """(text) => {
              const { ready, complete } = document.documentElement.dataset;
              const box = document.getElementById("filter");
              box.value = text;
              const began = performance.now();
              box.dispatchEvent(new Event("input"));
              const filter = (performance.now() - began) / 1000;
              const shown = document.getElementById("shown").textContent;
              return { open: ready / 1000, structure: complete / 1000, filter, shown };
            }""",
            FILTER,
        )
    return {**found, "decisions": int(found["shown"].split("(")[1].split()[0])}


@contextmanager
def browser_page() -> Iterator[Any]:
    """Open a page in a headless Chromium of its own."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (of the dev extra)

    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit(f"none of {', '.join(PROGRAMS)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser.new_page(viewport={"width": 1440, "height": 900})
        browser.close()


def _megabytes(path: Path) -> float:
    return round(path.stat().st_size / MEGABYTE, 3)


if __name__ == "__main__":
    for figure, value in measure().items():
        print(f"{figure:32} {value}")
