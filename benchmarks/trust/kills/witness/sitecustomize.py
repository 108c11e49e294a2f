"""A witness in every interpreter of a run: notes each measurement that a worker finishes.

Python imports a module of this name when it starts; the benchmark puts this folder on PYTHONPATH.
It listens to the interpreter's audit events (PEP 578): a worker puts a finished measurement into
the run's spool by renaming a file that is on disk already. So the notes are made by nobody who
keeps the ledger, and no line of Alloop is another for it.
"""

import os
import sys
import time

NOTES = os.environ.get("ALLOOP_WITNESS")
"""File that lines ``KIND ATTEMPT PID MOMENT`` are appended to; KIND is ``begun`` or ``written``,
MOMENT the system's monotonic clock, s."""


def _hear(event: str, args: tuple[object, ...]) -> None:
    if event == "os.rename" and str(args[1]).endswith(".json") and _is_worker():
        if _folder(args[3]).endswith("/spool"):
            _note("written", str(args[1]).removesuffix(".json"))
    elif event == "open" and str(args[0]).endswith(".lock") and _is_worker():
        folder, _, name = str(args[0]).rpartition("/")
        if folder.endswith("/spool"):
            _note("begun", name.removesuffix(".lock"))


def _is_worker() -> bool:
    return "alloop.loop.measure.worker" in sys.modules


def _folder(descriptor: object) -> str:
    """Return the path of an open folder."""
    return os.readlink(f"/proc/self/fd/{descriptor}")


def _note(kind: str, attempt: str) -> None:
    line = f"{kind} {attempt} {os.getpid()} {time.monotonic():.6f}\n".encode()
    notes = os.open(str(NOTES), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(notes, line)  # one short line, appended at once
    os.close(notes)


if NOTES:
    sys.addaudithook(_hear)
