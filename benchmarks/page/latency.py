"""The live page: how long it takes from an event in the ledger until the page shows it.

A made-up run goes on by one event after the other, through the real ledger, while `alloop serve`
serves it and Chromium shows it. The clock runs from the moment at which the event is on disk
until the first frame of the page that carries the head after it; both are read from one machine's
clock. Needs Chromium.
"""

import itertools
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alloop.loop.record.ledger import Ledger
from benchmarks.command_line import alloop
from benchmarks.page.report import browser_page
from benchmarks.trust.long_run import made_events

EVENTS = 400
"""Events that the run has when it is opened in the browser: about as many as a ready campaign."""
TRIES = 20
PAUSE = (1.0, 3.0)
"""Seconds between two events, at random."""
SEED = 23

WATCH = """
() => {
  window.seen = {};
  const look = () => {
    const head = document.querySelector("#record code")?.textContent;
    if (head && !(head in window.seen)) window.seen[head] = Date.now() / 1000;
    requestAnimationFrame(look);
  };
  look();
}
"""
"""Script that notes when each head was first in the page."""


def measure() -> dict[str, float]:
    """Return the median of the seconds from event to page, and the longest."""
    with tempfile.TemporaryDirectory(prefix="alloop-latency-") as folder:
        seconds = latencies(Path(folder) / "runs" / "long", EVENTS, TRIES)
    return {
        "serve_latency_seconds": round(statistics.median(seconds), 3),
        "serve_latency_seconds_longest": round(max(seconds), 3),
        "serve_latency_events": float(len(seconds)),
    }


def latencies(run: Path, n_events: int, tries: int) -> list[float]:
    """Return the seconds from event to page of each of some events behind the first ones."""
    draw = random.Random(SEED)
    events = made_events(run / "artifacts")
    with Ledger.open(run, writable=True) as ledger, browser_page() as page:
        ledger.append_together(tuple(itertools.islice(events, n_events)))
        with served(run.parent) as address:
            page.goto(f"{address}runs/{run.name}/")
            page.wait_for_selector("html[data-complete]", timeout=120_000)
            page.evaluate(WATCH)
            found = []
            for event in itertools.islice(events, tries):
                page.wait_for_timeout(1000 * draw.uniform(*PAUSE))
                head = ledger.append(event).hash
                written = time.time()
                page.wait_for_function("(head) => head in window.seen", arg=head, timeout=60_000)
                found.append(page.evaluate("(head) => window.seen[head]", head) - written)
    return found


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder by the command, and give its address."""
    with subprocess.Popen(
        alloop("serve", str(folder), "--port", "0"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


if __name__ == "__main__":
    for figure, value in measure().items():
        print(f"{figure:32} {value}")
