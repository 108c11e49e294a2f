"""The ledger's file: recognised, claimed, locked and opened before a single event is read."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alloop.durable import make_folder, sync_folder
from alloop.errors import LedgerError, RunError
from alloop.loop.record.events import FORMAT, WRITERS
from alloop.loop.record.links import refuse_links_to_read, refuse_links_to_write

if TYPE_CHECKING:
    from filelock import FileLock

LEDGER = "ledger.sqlite"
"""File name of the ledger in a run directory."""
LOCK = "controller.lock"
"""Name of the file whose lock a controller holds; the kernel frees it when the process ends."""
APPLICATION_ID = 0x416C6F70
"""Application id that marks a SQLite file as a ledger: ``Alop`` at byte 68 of its header."""

_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER NOT NULL PRIMARY KEY,
    time TEXT NOT NULL,
    event TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
)"""


def open_for_reading(run: Path) -> sqlite3.Connection:
    """Open an existing ledger; a controller may be writing to it.

    Raises:
        RunError: if there is none, or it is foreign, newer, or unreadable.
    """
    path = run / LEDGER
    refuse_links_to_read(run, LEDGER)
    if _is_blank(path):
        raise RunError(
            "there is no campaign here",
            where=str(run),
            remedy="Begin one with `alloop launch SPEC --run DIR`.",
        )
    # SQLite keeps its notes beside a file it reads, which a medium that is read-only refuses.
    journal = path.with_name(f"{LEDGER}-wal")
    has_journal = journal.exists() and journal.stat().st_size > 0
    is_frozen = not os.access(run, os.W_OK) and not has_journal
    return _connect(path, "immutable=1" if is_frozen else "mode=ro")


def open_for_writing(run: Path) -> "tuple[sqlite3.Connection, FileLock]":
    """Open a ledger, made where the directory is new or empty, and hold the controller's lock.

    Raises:
        RunError: if the directory is unusable, foreign, newer, or run by another controller.
    """
    path = run / LEDGER
    refuse_links_to_write(run, LEDGER, lock=LOCK)
    if _is_blank(path):
        _claim(run)
    lock = _lock(run)
    try:
        connection = _connect(path, "mode=rwc")
        try:
            with refusals(run):
                _prepare(connection)
                sync_folder(run)
        except BaseException:
            connection.close()
            raise
    except BaseException:
        lock.release()
        raise
    return connection, lock


@contextmanager
def refusals(run: Path) -> Iterator[None]:
    """Turn what the disk or SQLite refuses into an error with a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        # The lower byte of SQLite's extended codes is the plain one.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise damaged(run, str(error)) from error
        raise _unusable(run, str(error)) from error
    except UnicodeDecodeError as error:  # of SQLite's message about a table's name
        raise damaged(run, "a name in its file is no text") from error
    except OSError as error:
        raise _unusable(run, str(error.strerror)) from error


def damaged(run: Path, what: str) -> LedgerError:
    """Return the error for a ledger that cannot be read as it should be."""
    return LedgerError(
        f"the ledger is damaged: {what}",
        where=str(run),
        remedy="`alloop verify RUN` says more; restore the run from a copy.",
    )


def _unusable(run: Path, why: str) -> RunError:
    return RunError(
        f"the ledger cannot be used ({why})",
        where=str(run),
        remedy="Make room or restore access, then give the same command again.",
    )


def _is_blank(path: Path) -> bool:
    """Return whether there is no ledger yet; recognise it by its header, which is only read.

    The marks are written before the file enters WAL mode, so the header is never behind.
    """
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise RunError(
            f"it cannot be read ({error.strerror})",
            where=str(path),
            remedy="Choose another run directory, or restore access to it.",
        ) from error
    if not header:
        return True
    application = int.from_bytes(header[68:72], "big")
    if not header.startswith(b"SQLite format 3\0") or application != APPLICATION_ID:
        raise RunError(
            "this file was not written by Alloop",
            where=str(path),
            remedy="Choose another run directory.",
        )
    if (version := int.from_bytes(header[60:64], "big")) != FORMAT:
        age = "a newer" if version > FORMAT else "an older"
        remedy = "Update Alloop" if version > FORMAT else f"Install {WRITERS.get(version, 'it')}"
        raise RunError(
            f"the run was written by {age} version of Alloop (format {version}; "
            f"this one knows {FORMAT})",
            where=str(path),
            remedy=f"{remedy} to read and continue this run, or start a new one.",
        )
    return False


def _claim(run: Path) -> None:
    """Make the run directory, or check that nobody else's files are in it."""
    try:
        names = {entry.name for entry in run.iterdir()}
    except FileNotFoundError:
        make_folder(run)
        return
    except OSError as error:
        raise RunError(
            f"this is no folder to work in ({error.strerror})",
            where=str(run),
            remedy="Choose another run directory.",
        ) from error
    foreign = sorted(name for name in names if name != LOCK and not name.startswith(LEDGER))
    if foreign:
        raise RunError(
            f"the folder holds other files ({', '.join(foreign[:3])}) and no campaign",
            where=str(run),
            remedy="Choose a new or empty folder with --run.",
        )


def _lock(run: Path) -> "FileLock":
    from filelock import FileLock, Timeout  # noqa: PLC0415 (only a writer locks)

    # Without kernel locks a dead controller would keep the run: then rather no lock at all.
    lock = FileLock(run / LOCK, timeout=0, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunError(
            "the run is being run by another controller",
            where=str(run),
            remedy="Wait for it or stop it; `alloop status DIR` shows how far it is.",
        ) from error
    except OSError as error:
        raise RunError(
            f"the run directory cannot be locked ({error.strerror})",
            where=str(run),
            remedy="Choose a run directory on a local disk that you may write to.",
        ) from error
    return lock


def controller_process(run: Path) -> int | None:
    """Return the id of the process that works on a run; None where there is none, and where this
    system does not tell (it is read from Linux's list of locks, so that nothing is held up).
    """
    try:
        status = (run / LOCK).stat()
        locks = Path("/proc/locks").read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in locks.splitlines():
        fields = line.split()
        # "1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF"; "->" marks one who waits.
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == device:
            return int(fields[4])
    return None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    with refusals(path.parent):
        # Each statement is its own transaction: an event is one row.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{mode}",
            uri=True,
            timeout=30,
            isolation_level=None,
        )
        # Damaged text is read as it is, so that verifying can name its entry.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        try:
            # Nothing that a file brings, such as a view's function, is run by reading it.
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = FULL")
            _require_plain(connection, path.parent)
        except BaseException:
            connection.close()
            raise
        return connection


def _require_plain(connection: sqlite3.Connection, run: Path) -> None:
    """Refuse a file with anything but tables in it: a view may be endless, a trigger acts.

    Raises:
        LedgerError: naming what is too much.
    """
    query = "SELECT type, name FROM sqlite_schema WHERE type NOT IN ('table', 'index') LIMIT 1"
    if (found := connection.execute(query).fetchone()) is not None:
        raise damaged(run, "its file holds a {} ({!r}), which no ledger has".format(*found))


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the table and the marks at once, or not at all; go on in WAL mode."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_TABLE)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
