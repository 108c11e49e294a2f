"""Ledgers that grow: appends beside SQLite's own, and commands on up to 100,000 events.

Seconds are processor time, user and system, of the whole command, start included, the median of
some tries: a busy machine matters little. Appends are durable ones, each on disk before the next
begins, turn by turn with plain inserts of the same rows into a SQLite file with the same settings
beside it.
"""

import gc
import shutil
import sqlite3
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from alloop.loop.record.events import Event, LedgerEntry, Measured
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.record.verification import verify
from alloop.loop.state.folding.fold import Fold
from benchmarks.command_line import alloop
from benchmarks.house.start_up import processor_seconds
from benchmarks.trust.long_run import made_events, write_run

APPENDS = 400
TRIES = 3
SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
MEGABYTE = 1e6


def measure() -> dict[str, float]:
    """Return all figures of growing ledgers."""
    with tempfile.TemporaryDirectory(prefix="alloop-ledgers-") as folder:
        here = Path(folder)
        figures = append_figures(here) | memory_figures()
        for name in ("10k", "100k"):
            figures |= command_figures(here / name, name)
        figures |= command_figures(here / "hull", "10k", with_hull=True)
        return figures | whole_run_figures(here)


def append_figures(folder: Path) -> dict[str, float]:
    """Return the durable appends a second of the ledger and of SQLite alone, and their ratio."""
    ours: list[float] = []
    theirs: list[float] = []
    plain = _plain_database(folder / "plain.sqlite")
    with Ledger.open(folder / "appends", writable=True) as ledger:
        for event in islice(_measurements(), APPENDS):
            began = time.perf_counter()
            entry = ledger.append(event)
            ours.append(time.perf_counter() - began)
            row = _last_row(folder / "appends")
            began = time.perf_counter()
            plain.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
            theirs.append(time.perf_counter() - began)
            assert entry.seq == row[0], "both write the same"
    plain.close()
    return {
        "appends_per_second": round(APPENDS / sum(ours), 1),
        "sqlite_inserts_per_second": round(APPENDS / sum(theirs), 1),
        "append_ratio_to_sqlite": round(sum(theirs) / sum(ours), 3),
    }


def memory_figures() -> dict[str, float]:
    """Return the bytes that one more measurement leaves in a controller that has many already."""
    events = made_events()
    fold, seq = Fold(), 0
    levels = []
    tracemalloc.start()
    for n in (5_000, 10_000):
        while seq < n:
            seq += 1
            time_ = f"2026-03-01T00:00:{seq % 60:02d}+00:00"
            fold.add(LedgerEntry(seq, time_, next(events), "", ""))
        fold.state()
        gc.collect()
        levels.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return {"controller_bytes_per_event": round((levels[1] - levels[0]) / 5_000)}


def command_figures(run: Path, size: str, *, with_hull: bool = False) -> dict[str, float]:
    """Return the seconds of ``status`` and ``explain`` on a run of some size."""
    best = write_run(run, SIZES[size], with_artifacts=False, with_hull=with_hull)
    name = f"{size}_with_hull" if with_hull else size
    figures = {
        f"status_{name}_seconds": _median(alloop("status", str(run))),
        f"explain_{name}_seconds": _median(alloop("explain", str(run), best)),
    }
    shutil.rmtree(run)
    return figures


def whole_run_figures(folder: Path) -> dict[str, float]:
    """Return the seconds of ``verify`` for two sizes, and of the report: artifacts are there."""
    figures: dict[str, float] = {}
    for name in ("1k", "10k"):
        run = folder / f"whole-{name}"
        write_run(run, SIZES[name])
        assert verify(run).ok, "nothing was tampered with"
        figures[f"verify_{name}_seconds"] = _median(alloop("verify", str(run)))
    figures["verify_growth_1k_to_10k"] = round(
        figures["verify_10k_seconds"] / figures["verify_1k_seconds"], 2
    )
    figures["report_10k"] = _median(alloop("report", str(run)))
    figures["report_10k_megabytes"] = round((run / "report.html").stat().st_size / MEGABYTE, 2)
    return figures


def _measurements() -> Iterator[Event]:
    return (event for event in made_events() if isinstance(event, Measured))


def _plain_database(path: Path) -> sqlite3.Connection:
    """Return a SQLite file with the ledger's table, journal and durability, and nothing else."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE events (seq INTEGER NOT NULL PRIMARY KEY, time TEXT NOT NULL, "
        "event TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)"
    )
    return connection


def _last_row(run: Path) -> tuple[object, ...]:
    connection = sqlite3.connect(run / LEDGER)
    row: tuple[object, ...] = connection.execute(
        "SELECT * FROM events ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    connection.close()
    return row


def _median(command: Sequence[str]) -> float:
    return round(statistics.median(processor_seconds(command) for _ in range(TRIES)), 2)


if __name__ == "__main__":
    for figure, value in measure().items():
        print(f"{figure:32} {value}")
