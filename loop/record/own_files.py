"""Files that only Alloop writes: read as regular files, never through a link, within a bound."""

import os
import stat
from pathlib import Path

from alloop.errors import RunError


class NotOwn(Exception):
    """Raised for what Alloop cannot have written: a link, a pipe, a folder, a file too large."""


def read_own(path: Path, most: int) -> bytes:
    """Return the content of a file that Alloop wrote.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        NotOwn: if it is no regular file, or larger.
        OSError: if it is missing or cannot be read.
    """
    if path.is_symlink():
        raise NotOwn("it is a link")
    # Not blocking: a pipe that nobody writes to would be waited for without end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotOwn("it is no file")
        if status.st_size > most:
            raise NotOwn(f"it has more than {most:,} bytes")
        return file.read(most)


def read_kept(path: Path, most: int) -> bytes | None:
    """Return the content of a file that Alloop wrote into a run; None where there is none.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        RunError: if it is there and cannot be read, or Alloop cannot have written it.
    """
    try:
        return read_own(path, most)
    except FileNotFoundError:
        return None
    except (OSError, NotOwn) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise RunError(
            f"cannot be read ({why})",
            where=str(path),
            remedy="Restore access or remove it, then `alloop resume`.",
        ) from error
