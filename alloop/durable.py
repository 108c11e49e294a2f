"""Files that survive a power cut: whole or absent, never half, and never written through a link."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alloop.errors import RunError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
"""Flags of a file that nobody has made before, neither as a file nor as a link to one."""
TEMPORARY = ".tmp"
"""Ending of a file that is not whole yet; what has it was left by a writer that died."""


def write_durably(path: Path, content: bytes, *, is_shared: bool = False) -> None:
    """Write a file that is on disk, whole and under its name, when this returns.

    A link that has the file's name, or that of the file it is written as first, is replaced; what
    it led to stays as it is.

    Args:
        path: of the file; written over.
        content: all of it.
        is_shared: whether others may write to the same path meanwhile: the last one wins. If not,
            what a writer that died left beside it is removed.

    Raises:
        RunError: if it cannot be written (disk full, no permission, folder gone).
    """
    with _refusals(path), _open_folder(path.parent) as folder:
        temporary = _unique(path.name) if is_shared else f"{path.name}{TEMPORARY}"
        if not is_shared:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
        _write_new(folder, temporary, content, 0o666)
        try:
            os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)


def create_durably(path: Path, content: bytes, *, mode: int) -> bool:
    """Write a file unless there is one, whole from its first moment; return whether it was made.

    Args:
        path: of the file.
        content: all of it.
        mode: permissions, before the process's mask.

    Raises:
        RunError: if it cannot be written.
    """
    with _refusals(path), _open_folder(path.parent) as folder:
        temporary = _unique(path.name)
        _write_new(folder, temporary, content, mode)
        try:
            os.link(
                temporary,
                path.name,
                src_dir_fd=folder,
                dst_dir_fd=folder,
                follow_symlinks=False,
            )
        except FileExistsError:
            return False
        finally:
            os.unlink(temporary, dir_fd=folder)
        os.fsync(folder)
    return True


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
    with _open_folder(folder) as descriptor:
        os.fsync(descriptor)


def _unique(name: str) -> str:
    """Return a name for what becomes the file of another name, which nobody can know before."""
    return f".{name[:100]}.{secrets.token_hex(16)}{TEMPORARY}"


def _write_new(folder: int, name: str, content: bytes, mode: int) -> None:
    """Write a new file in an open folder and put it on disk."""
    descriptor = os.open(name, _NEW, mode, dir_fd=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(name, dir_fd=folder)
        raise


@contextmanager
def _open_folder(folder: Path) -> Iterator[int]:
    """Open a folder, so that its name may come to lead elsewhere while something is written."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
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
