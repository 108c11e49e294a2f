"""Links in a run's folder: refused where something would be read from them or written through them.

A run that was received may hold a link where a file of the run belongs. SQLite, a lock or an
artifact written there would change whatever it leads to.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Never

from alloop.errors import RunError

_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""Last bytes of a SQLite journal that names a file for SQLite to remove (sqlite.org/fileformat2,
section 3); a ledger, one file by itself, never has such a one."""


def refuse_links_to_read(run: Path, ledger: str) -> None:
    """Check that the ledger, and what SQLite keeps beside it, are files of the run's folder.

    Args:
        run: the run's folder, which may be reached by a link itself.
        ledger: name of the ledger's file.

    Raises:
        RunError: naming what is something else.
    """
    for ending in ("", "-wal", "-shm", "-journal"):
        _require(run / f"{ledger}{ending}")


def refuse_links_to_write(run: Path, ledger: str, *, lock: str) -> None:
    """Check, besides, the controller's lock and every folder that a controller writes into.

    Raises:
        RunError: naming what is something else.
    """
    refuse_links_to_read(run, ledger)
    _require(run / lock)
    _require(run / "requests")  # links in it are replaced, as those beside the ledger are
    for folder in (run / "artifacts", run / "spool"):
        _require(folder)
        for entry in _entries(folder):
            if entry.is_symlink():
                _refuse(Path(entry.path), "a link")
    journal = run / f"{ledger}-journal"
    if _tail(journal, len(_SUPER_JOURNAL)) == _SUPER_JOURNAL:
        _refuse(journal, "a journal that has SQLite remove another file")


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from entries


def _tail(path: Path, n: int) -> bytes:
    """Return the last bytes of a file; none if there is no such file, or it is shorter."""
    try:
        with path.open("rb") as file:
            file.seek(-n, os.SEEK_END)
            return file.read(n)
    except OSError:
        return b""


def _require(path: Path) -> None:
    """Refuse a path that is a link, or a pipe or device, on which reading would wait."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # it is not there, or whoever needs it will say why it cannot be had
    if stat.S_ISLNK(mode):
        _refuse(path, "a link")
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        _refuse(path, "a pipe or a device")


def _refuse(path: Path, what: str) -> Never:
    raise RunError(
        f"this is {what}, and nothing is written through it",
        where=str(path),
        remedy="Remove it if it is not yours; a run's folder may be moved, or reached by a link, "
        "as a whole.",
    )
