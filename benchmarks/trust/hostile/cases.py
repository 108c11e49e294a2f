"""A hostile file, the commands that are given it, and the place where that is done."""

import os
import socket
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

PRECIOUS = b"precious"
"""Content of the files that must not change."""


@dataclass(frozen=True)
class Trial:
    """A command that is given a hostile file."""

    words: tuple[str, ...]
    says: str | None
    """Text that its message must have, with an exit code that is not 0; None where the command has
    nothing to complain about, or may."""
    profile: str = ""
    """Path of the settings that it is given under; by default harmless ones."""


@dataclass(frozen=True)
class Hostile:
    """A file or folder that does harm if anything in it is believed or run."""

    name: str
    trials: tuple[Trial, ...]
    path: Path | None = None
    """Run folder in which its own commands may write; None where nothing may be written."""
    cwd: Path | None = None
    """Working folder of the commands; by default an empty one."""


@dataclass
class Place:
    """Folder with a victim's files, in which hostile files are made.

    A file that executes anything leaves ``marker``, or speaks to the port that nobody should.
    """

    folder: Path
    listeners: list[socket.socket] = field(default_factory=list)
    n_files: int = 0
    """Number of files so far whose names are numbers."""

    def __post_init__(self) -> None:
        for name in ("files", "victim", "cwd", "somebody", "me", "config"):
            (self.folder / name).mkdir(parents=True)
        for name in ("letter.txt", "sheet.csv", "store/inside"):
            path = self.folder / "victim" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(PRECIOUS)

    @property
    def marker(self) -> Path:
        """Path of the file that a payload makes."""
        return self.folder / "victim" / "EXECUTED"

    @property
    def touch(self) -> str:
        """Shell command that makes the marker."""
        return f"touch {self.marker}"

    @property
    def victim(self) -> Path:
        """Folder of the files that must not change."""
        return self.folder / "victim"

    @cached_property
    def port(self) -> int:
        """Port that accepts connections, none of which should come."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.listeners.append(listener)
        return int(listener.getsockname()[1])

    def was_called(self) -> bool:
        """Return whether anybody spoke to the port."""
        for listener in self.listeners:
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                continue
            return True
        return False

    def close(self) -> None:
        """Close the port."""
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()

    def write(self, name: str, text: str | bytes, *, mode: int = 0o600) -> Path:
        """Write a file among the hostile ones."""
        path = self.folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    def numbered(self, text: str, *, mode: int = 0o600) -> Path:
        """Write a YAML file whose name says nothing that a message could be found by."""
        self.n_files += 1
        return self.write(f"{self.n_files:03d}.yaml", text, mode=mode)

    def pickle(self) -> bytes:
        """Return a pickle that makes the marker when it is loaded."""
        import pickle  # noqa: PLC0415

        return pickle.dumps(_Payload(self.touch))


class _Payload:
    """Object whose pickle runs a command."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self._command,)
