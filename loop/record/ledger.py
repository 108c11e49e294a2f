"""The campaign itself: hash-chained events, appended and read, never changed."""

import gc
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from alloop.canonical import canonical_json
from alloop.errors import LedgerError, RunError
from alloop.loop.record.events import EVENT, Event, LedgerEntry
from alloop.loop.record.hash_chain import (
    START,
    BrokenChain,
    ChainCheck,
    StoredRow,
    entry_hash,
)
from alloop.loop.record.ledger_file import (
    damaged,
    open_for_reading,
    open_for_writing,
    refusals,
)
from alloop.loop.record.session_clock import SessionClock
from alloop.loop.record.stored_events import read_event

if TYPE_CHECKING:
    from filelock import FileLock

_COLUMNS = ", ".join(StoredRow._fields)
_PAGE = 1000
"""Number of rows read at a time: a long reading holds no snapshot that would keep the journal."""
_BEFORE_ALL = -(2**63)
"""The least sequence number that SQLite could hold."""

MAX_TOGETHER = 5000
"""Largest number of events in one statement: SQLite takes 32,766 values, and an event is five."""


class Ledger:
    """The events of one run directory. One writer at a time; readers never wait for it.

    Use as a context manager, or ``close`` it.
    """

    def __init__(self, run: Path, connection: sqlite3.Connection, lock: "FileLock | None") -> None:
        self._run = run
        self._connection = connection
        self._lock = lock
        """Held by the writer; None in a reader."""
        self._last = self._read_last()
        self._clock = SessionClock()

    @classmethod
    def open(cls, run: Path, *, writable: bool) -> Self:
        """Open a run directory's ledger; a writer makes both where there is nothing yet.

        Raises:
            RunError: if the directory is missing (for a reader), unusable, foreign, written by
                a newer version, or run by another controller. Nothing in it is changed then.
            LedgerError: if SQLite finds its file damaged.
        """
        connection, lock = open_for_writing(run) if writable else (open_for_reading(run), None)
        try:
            return cls(run, connection, lock)
        except BaseException:
            connection.close()
            if lock is not None:
                lock.release()
            raise

    def append(self, event: Event) -> LedgerEntry:
        """Add an event; it is on disk when this returns, and comes back as it will be read.

        Raises:
            LedgerError: if the event cannot be written down (a value that is not finite).
            RunError: if this ledger is a reader's, or the disk refuses.
        """
        return self.append_together((event,))[0]

    def append_together(self, events: Sequence[Event]) -> tuple[LedgerEntry, ...]:
        """Add at most ``MAX_TOGETHER`` events, all or, whatever happens meanwhile, none.

        Raises:
            LedgerError: if an event cannot be written down.
            RunError: if this ledger is a reader's, or the disk refuses.
        """
        if self._lock is None:
            raise RunError("the ledger was opened for reading only", where=str(self._run))
        rows: list[StoredRow] = []
        entries: list[LedgerEntry] = []
        for event in events:
            row, entry = self._row(event, rows[-1] if rows else self._last)
            rows.append(row)
            entries.append(entry)
        if not rows:
            return ()
        places = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
        with refusals(self._run):
            # One statement is one transaction.
            self._connection.execute(
                f"INSERT INTO events ({_COLUMNS}) VALUES {places}",
                [value for row in rows for value in row],
            )
        self._last = rows[-1]
        return tuple(entries)

    def entries(self, chain: ChainCheck | None = None) -> Iterator[LedgerEntry]:
        """Yield the entries in order, each once it has proved to be the one that was recorded.

        Args:
            chain: stands at the entry to go on behind, and is moved on; all entries by default.

        Raises:
            LedgerError: if an entry was edited, dropped, moved or put in, or is no event of this
                format; the message names the first.
        """
        chain = chain or ChainCheck()
        for page in self._pages(chain.seq):
            with no_collection():
                entries, error = _verified(page, chain)
            yield from entries
            if error is not None:
                raise damaged(self._run, str(error)) from error

    def rows(self) -> Iterator[StoredRow]:
        """Yield all entries as they are stored, in order of seq, unchecked.

        Raises:
            LedgerError: if SQLite finds its file damaged.
        """
        for page in self._pages():
            yield from page

    def head(self) -> str:
        """Return the hash of the last entry; 64 zeros for an empty ledger."""
        return self._last.hash if self._lock else self._read_last().hash

    def holds(self, seq: int, hash: str) -> bool:
        """Return whether an entry that was read before is still there, under the same hash."""
        with refusals(self._run):
            row = self._connection.execute(
                "SELECT hash FROM events WHERE seq = ?", (seq,)
            ).fetchone()
        return row is not None and bool(row[0] == hash)

    def origin(self) -> str:
        """Return the hash of the first entry, which no other run has; empty where there is none."""
        with refusals(self._run):
            row = self._connection.execute("SELECT hash FROM events WHERE seq = 1").fetchone()
        return "" if row is None else str(row[0])

    def close(self) -> None:
        """Close the file and release the lock."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _row(self, event: Event, last: StoredRow) -> tuple[StoredRow, LedgerEntry]:
        """Return the row of an event, and the entry as it will be read: whatever is read later was
        valid when it was written."""
        seq, previous = last.seq + 1, last.hash
        time = self._clock.now().isoformat(timespec="milliseconds")
        try:
            text = canonical_json(EVENT.dump_python(event, mode="json"))
            hash = entry_hash(seq, time, text, previous)
            entry = LedgerEntry(seq, time, EVENT.validate_json(text), previous, hash)
        except ValueError as error:
            raise LedgerError(
                f"a {event.kind} event cannot be written down ({error})", where=str(self._run)
            ) from error
        return StoredRow(seq, time, text, previous, hash), entry

    def _pages(self, behind: int = 0) -> Iterator[list[StoredRow]]:
        """Yield the rows page by page, all or those behind an entry; what lies before a damage
        comes before its error.

        Raises:
            LedgerError: if SQLite finds its file damaged.
        """
        after, n_read = behind or _BEFORE_ALL, behind
        while True:
            page, damage = self._read_page(after)
            n_read += len(page)
            yield page
            if damage:
                raise damaged(self._run, f"after entry {n_read}: {damage}")
            if len(page) < _PAGE:
                return
            after = page[-1].seq

    def _read_page(self, after: int) -> tuple[list[StoredRow], str]:
        """Return the rows behind a sequence number, and what went wrong where they break off."""
        any_text = self._connection.text_factory
        try:
            self._connection.text_factory = str  # what is whole is read three times as fast
            return self._read_rows(after)
        except _NoText:
            self._connection.text_factory = any_text
            return self._read_rows(after)
        finally:
            self._connection.text_factory = any_text

    def _read_rows(self, after: int) -> tuple[list[StoredRow], str]:
        query = f"SELECT {_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT {_PAGE}"
        page: list[StoredRow] = []
        try:
            for row in self._connection.execute(query, (after,)):
                page.append(StoredRow._make(row))  # one by one: those before the damage count
        except sqlite3.Error as error:
            if str(error).startswith("Could not decode"):
                raise _NoText from error
            return page, str(error)
        return page, ""

    def _read_last(self) -> StoredRow:
        query = f"SELECT {_COLUMNS} FROM events ORDER BY seq DESC LIMIT 1"
        try:
            row = self._connection.execute(query).fetchone()
        except sqlite3.Error as error:
            raise damaged(self._run, str(error)) from error
        return StoredRow(0, "", "", "", START) if row is None else StoredRow(*row)


def _entry(row: StoredRow) -> LedgerEntry:
    return LedgerEntry(
        seq=row.seq,
        time=row.time,
        event=read_event(row.event),
        previous=row.previous,
        hash=row.hash,
    )


class _NoText(Exception):
    """Raised for a row that is not UTF-8."""


class _NotAnEvent(Exception):
    """Raised for a row whose text is no event of this format."""


def _verified(
    page: Sequence[StoredRow], chain: ChainCheck
) -> tuple[list[LedgerEntry], Exception | None]:
    """Return the entries up to the first that is not what was recorded, and what it is instead."""
    entries: list[LedgerEntry] = []
    for row in page:
        try:
            entry = _entry(row)
            chain.add(row)
        except BrokenChain as error:
            return entries, error
        except ValidationError as error:
            return entries, _NotAnEvent(f"entry {row.seq} is not an event ({_first(error)})")
        except (ValueError, TypeError):  # bytes that are no UTF-8; a NULL of a damaged database
            return entries, _NotAnEvent(f"entry {row.seq} is not an event (it is no text)")
        entries.append(entry)
    return entries, None


def _first(error: ValidationError) -> str:
    """Return the first of the faults in an event: ``measured.wall_seconds: Input should be …``."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, fault["loc"]))
    return f"{where}: {fault['msg']}" if where else fault["msg"]


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector from looking, again and again, through events that all stay: a
    third of the time it takes to read them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
