"""Parameter files under paths that LAMMPS can read: it takes ASCII only."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alloop.errors import PotentialError
from alloop.oracles.lammps.potentials.parameter_files import ParameterFile

_PLAIN_FOLDERS = (None, "/tmp", "/var/tmp", "/dev/shm")
"""Where copies are put: the usual place for temporary files, or one whose path is ASCII."""


@contextmanager
def readable_files(files: Sequence[ParameterFile]) -> Iterator[tuple[ParameterFile, ...]]:
    """Yield the files, copied for as long as they are read where a path is not ASCII.

    LAMMPS replaces some characters of its commands and fails on others.

    Raises:
        PotentialError: if a file is missing or changed, or there is no room for copies.
    """
    if all(str(file.path).isascii() for file in files):
        yield tuple(files)
        return
    folder = _plain_folder()
    try:
        copies = []
        for place, file in enumerate(files):
            copy = folder / f"{place}{file.path.suffix if file.path.suffix.isascii() else ''}"
            shutil.copyfile(file.checked_path(), copy)
            copies.append(ParameterFile(copy, file.checksum))
        yield tuple(copies)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _plain_folder() -> Path:
    for place in _PLAIN_FOLDERS:
        try:
            folder = Path(tempfile.mkdtemp(prefix="alloop-", dir=place))
        except OSError:
            continue
        if str(folder).isascii():
            return folder
        folder.rmdir()
    raise PotentialError(
        "LAMMPS reads parameter files under ASCII paths only, and there is no such folder for "
        "a copy of them",
        remedy="Set TMPDIR to a folder whose path is ASCII, or put the files into one.",
    )
