"""Files that survive a power cut: whole or absent, never half."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alloop.errors import RunError


def write_durably(path: Path, content: bytes, *, is_shared: bool = False) -> None:
    """Write a file that is on disk, whole and under its name, when this returns.

    Args:
        path: of the file; written over.
        content: all of it.
        is_shared: whether others may write to the same path meanwhile: the last one wins. If not,
            what a writer that died left beside it is written over.

    Raises:
        RunError: if it cannot be written (disk full, no permission, folder gone).
    """
    mark = f".{secrets.token_hex(16)}" if is_shared else ""
    temporary = path.with_name(f"{path.name}{mark}.tmp")
    with _refusals(path):
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that is there after a power cut too.

    Raises:
        RunError: if it cannot be made.
    """
    if folder.is_dir():
        return
    with _refusals(folder):
        if not folder.parent.is_dir():
            make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on disk: a file is only safe once its name is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot be written ({error.strerror})",
            where=str(path),
            remedy="Make room or restore access, then give the same command again.",
        ) from error
