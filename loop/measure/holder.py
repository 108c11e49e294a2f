"""Who measures an evaluation right now: what its worker writes into the file that it has locked."""

import fcntl
import json
import os
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from alloop.canonical import canonical_json
from alloop.loop.record.own_files import NotOwn, read_own

_MOST_BYTES = 2000
_LONGEST = 200
"""Most characters of where a calculation runs."""


@dataclass(frozen=True)
class Holder:
    """The process that measures."""

    host: str
    pid: int
    since: str
    """Time at which it began: UTC, ISO 8601."""
    slurm_job: str = ""
    """Id of the Slurm job that it runs in; empty outside of one."""
    elsewhere: str = ""
    """Where the calculation runs that it waits for; empty where it calculates by itself."""

    @classmethod
    def here(cls) -> Self:
        """Return this process, now."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(socket.gethostname(), os.getpid(), now, os.environ.get("SLURM_JOB_ID", ""))

    def waiting_for(self, where: str) -> Self:
        """Return it while a calculation runs elsewhere."""
        return replace(self, elsewhere=where[:_LONGEST])

    def to_bytes(self) -> bytes:
        """Return JSON that ``read_holder`` reads."""
        return canonical_json(vars(self)).encode()

    @property
    def where(self) -> str:
        """Where it runs, in a few words."""
        own = f"Slurm job {self.slurm_job}" if self.slurm_job else f"process {self.pid}"
        first = f"{self.elsewhere}, " if self.elsewhere else ""
        return f"{first}{own} on {self.host}"


def read_holder(path: Path) -> Holder | None:
    """Return who holds an evaluation's lock; None where nobody does.

    Args:
        path: the lock's file, which is left as it is.
    """
    try:
        if not _is_locked(path):
            return None
        said = json.loads(read_own(path, _MOST_BYTES))
        since = datetime.fromisoformat(said["since"]).astimezone(UTC).isoformat(timespec="seconds")
        words = (str(said[name]) for name in ("slurm_job", "elsewhere"))
        return Holder(str(said["host"]), int(said["pid"]), since, *words)
    except (OSError, NotOwn, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None  # it ended meanwhile, begins just now, or is no lock of ours


def _is_locked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # A worker that asks in this moment waits for it; it is given back at once.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
