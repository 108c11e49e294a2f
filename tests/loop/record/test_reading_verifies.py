"""A ledger is verified while it is read: what was not recorded is refused, and the first named."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alloop.errors import LedgerError
from alloop.loop.record.events import Event, LedgerEntry
from alloop.loop.record.hash_chain import entry_hash
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.run_folder import RunFolder
from tests.loop import lab

MakeEvents = Callable[..., list[Event]]
MEASURED = 6
"""Sequence number of the measurement among the nine events."""


@pytest.fixture
def recorded(run: Path, make_events: MakeEvents) -> Path:
    with Ledger.open(run, writable=True) as ledger:
        for event in make_events():
            ledger.append(event)
    return run


@contextmanager
def tampering(run: Path) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(run / LEDGER) as database:
        yield database
    database.close()


def n_read_before(run: Path, message: str) -> int:
    """Return how many entries come before the error with this message."""
    entries: list[LedgerEntry] = []
    with Ledger.open(run, writable=False) as ledger, pytest.raises(LedgerError, match=message):
        entries.extend(ledger.entries())
    return len(entries)


@pytest.mark.parametrize(
    ("statement", "first_bad", "problem"),
    [
        ("UPDATE events SET event = replace(event, '181.25', '191.25')", 6, "was changed"),
        ("UPDATE events SET event = replace(event, 'cccc', 'dddd') WHERE seq = 4", 4, "changed"),
        ("UPDATE events SET event = replace(event, 'aaaa', 'eeee') WHERE seq = 3", 3, "changed"),
        ("UPDATE events SET time = '2020-01-01T00:00:00+00:00' WHERE seq = 2", 2, "was changed"),
        ("DELETE FROM events WHERE seq = 6", 6, "missing or out of place"),
        ("DELETE FROM events WHERE seq = 1", 1, "missing or out of place"),
        ("UPDATE events SET seq = seq - 20 WHERE seq < 3", -19, "missing or out of place"),
    ],
)
def test_what_was_not_recorded_is_refused_and_the_first_bad_event_named(
    recorded: Path, statement: str, first_bad: int, problem: str
) -> None:
    with tampering(recorded) as database:
        database.execute(statement)
    n_before = n_read_before(recorded, f"event {first_bad}: .*{problem}.*alloop verify")
    assert n_before == max(first_bad - 1, 0)


def test_exchanged_events_are_refused(recorded: Path) -> None:
    with tampering(recorded) as database:
        for old, new in ((5, 99), (7, 5), (99, 7)):
            database.execute("UPDATE events SET seq = ? WHERE seq = ?", (new, old))
    assert n_read_before(recorded, "event 5: it does not follow the entry before it") == 4


def test_a_foreign_event_put_in_is_refused(recorded: Path) -> None:
    with tampering(recorded) as database:
        (n,) = database.execute("SELECT max(seq) FROM events").fetchone()
        database.execute(
            "INSERT INTO events SELECT ?, time, event, previous, hash FROM events WHERE seq = 6",
            (n + 1,),
        )
    assert n_read_before(recorded, f"event {n + 1}: it does not follow") == n


def test_reading_and_resuming_a_run_refuse_the_same(run: Path) -> None:
    lab.go(run)
    with tampering(run) as database:
        database.execute("UPDATE events SET event = replace(event, 'at random', 'by genius')")
    with pytest.raises(LedgerError, match="event 3: its content does not have its hash"):
        RunFolder.read(run)
    with pytest.raises(LedgerError, match="event 3: its content does not have its hash"):
        lab.go(run)


@pytest.mark.parametrize("field", ["calls", "wall_seconds", "core_hours", "money"])
@pytest.mark.parametrize("literal", ["-1", "-1e999", "1e999", "NaN"])
def test_a_cost_that_would_refill_a_budget_is_no_event_even_in_a_whole_chain(
    recorded: Path, field: str, literal: str
) -> None:
    with tampering(recorded) as database:
        query = "SELECT time, event, previous FROM events WHERE seq = 6"
        time, event, previous = database.execute(query).fetchone()
        forged, n = re.subn(rf'"{field}":[^,}}]+', f'"{field}":{literal}', event)
        assert n == 1
        hash = entry_hash(MEASURED, time, forged, previous)
        database.execute("UPDATE events SET event = ?, hash = ? WHERE seq = 6", (forged, hash))
    assert n_read_before(recorded, rf"entry 6 is not an event \(measured.{field}: ") == 5


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW other AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END",
    ],
)
def test_what_a_ledger_s_file_does_not_need_is_refused(recorded: Path, statement: str) -> None:
    with tampering(recorded) as database:
        database.execute(statement)
    for writable in (False, True):
        with pytest.raises(LedgerError, match=r"holds a (view|trigger)"):
            Ledger.open(recorded, writable=writable)


def test_an_endless_view_in_place_of_the_events_is_refused(recorded: Path) -> None:
    with tampering(recorded) as database:
        database.execute("DROP TABLE events")
        database.execute(
            "CREATE VIEW events AS WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1"
            " FROM n) SELECT seq, '' AS time, '' AS event, '' AS previous, '' AS hash FROM n"
        )
    with pytest.raises(LedgerError, match="holds a view"):
        RunFolder.read(recorded)
