"""Watching a command: what it starts, whom it calls, what it unpickles, which files it changes."""

import hashlib
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile")
_WORKER = "alloop.loop.measure.worker"
"""Module that Alloop's own workers run."""
_OF_LIBRARIES = (["uname", "-p"], ["fc-list", "--help"], ["fc-list", r"--format=%{file}\n"])
"""Programs that Python's platform module and matplotlib start by themselves, word by word."""
_DANGEROUS = ("os", "posix", "nt", "subprocess", "builtins", "runpy", "pty", "commands")
"""Modules whose functions a hostile pickle asks for."""
_HARMLESS_BUILTINS = ("set", "frozenset", "bytearray", "complex", "object", "slice", "range")


class Watch:
    """Record of audit events of the interpreter (PEP 578) between ``begin`` and ``end``."""

    def __init__(self) -> None:
        self._is_on = False
        self.executed: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """Record what is executed within the block, and yield the list of it."""
        self.executed = []
        self._is_on = True
        try:
            yield self.executed
        finally:
            self._is_on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        if event in _STARTING:
            words = list(arguments[1] or ()) if len(arguments) > 1 else []
            if _WORKER not in str(arguments) and words not in _OF_LIBRARIES:
                self.executed.append(f"{event} {arguments[:2]}")
        elif event == "socket.connect" and arguments[0].type != socket.SOCK_DGRAM:
            self.executed.append(f"{event} {arguments[1]}")
        elif event == "pickle.find_class":
            module, name = map(str, arguments[:2])
            if module in _DANGEROUS and name not in _HARMLESS_BUILTINS:
                self.executed.append(f"{event} {module}.{name}")


def snapshot(folder: Path, *, without: Path | None = None) -> dict[str, str]:
    """Return a hash of everything below a folder, links as links, by path.

    Args:
        folder: it and all below it.
        without: a folder below it that is left out.
    """
    found: dict[str, str] = {}
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        folders[:] = [name for name in folders if without is None or here / name != without]
        for name in (*folders, *files):
            path = here / name
            if path.is_symlink():
                found[str(path)] = f"link to {path.readlink()}"
            elif path.is_file():
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[str(path)] = "folder" if path.is_dir() else "special"
    return found
