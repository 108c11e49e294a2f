"""Content-addressed files: every big thing of a campaign, under the SHA-256 of its bytes."""

import json
import re
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar

from alloop.canonical import canonical_json, sha256
from alloop.durable import make_folder, write_durably
from alloop.errors import LedgerError, MaterialError, RunError
from alloop.loop.record.own_files import NotOwn, read_own
from alloop.materials import Material, material_from_json, material_to_json

T = TypeVar("T")

ARTIFACTS = "artifacts"
"""Name of the store's folder in the run's."""
_ID = re.compile(r"[0-9a-f]{64}")

MOST_BYTES = 4_000_000_000
"""Largest artifact that is read: far more than a checkpoint of any of the models has."""

MOST_SHARED = 1024
"""Number of materials that a store remembers: some 60 kB each of 54 atoms, and a millisecond to
read again."""

_WRITERS = 8
"""Number of threads that write many artifacts: the file system commits their waits together."""


class ArtifactStore:
    """Files named after their content, in ``folder/ab/abcdef…``.

    What ``put`` returned is on disk; what ``get`` returns has the hash that was asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared_material = lru_cache(MOST_SHARED)(self.get_material)
        """What ``get_material`` returns, the same object for as long as it is among the latest that
        were asked for: to look at, and never to change."""

    @classmethod
    def of_run(cls, run: Path) -> Self:
        """Return the store of a run."""
        return cls(run / ARTIFACTS)

    def put(self, content: bytes) -> str:
        """Store bytes durably and return their id; what is there already is not written again.

        Raises:
            RunError: if the file cannot be written, or its folder is a link.
        """
        artifact = sha256(content)
        path = self.path(artifact)
        for folder in (self.folder, path.parent):
            if folder.is_symlink():
                raise RunError(
                    "it is a link; artifacts would be written elsewhere",
                    where=str(folder),
                    remedy="Put a folder in its place, then give the same command again.",
                )
        if not path.exists():
            make_folder(path.parent)
            write_durably(path, content)
        return artifact

    def put_many(self, contents: Iterable[bytes]) -> list[str]:
        """Store many durably, several at a time; about ten times faster than one by one."""
        contents = list(contents)
        with ThreadPoolExecutor(_WRITERS) as writers:
            list(writers.map(self.put, set(contents)))
        return [sha256(content) for content in contents]

    def put_file(self, path: Path) -> str:
        """Store a copy of a file and return its id."""
        return self.put(path.read_bytes())

    def put_json(self, value: Any) -> str:
        """Store plain values as canonical JSON."""
        return self.put(canonical_json(value).encode())

    def put_material(self, material: Material) -> str:
        """Store a material's canonical JSON; the artifact's id is the material's id."""
        return self.put(_material_bytes(material))

    def put_materials(self, materials: Iterable[Material]) -> list[str]:
        """Store many materials, as ``put_many`` does."""
        return self.put_many(map(_material_bytes, materials))

    def get(self, artifact: str) -> bytes:
        """Return an artifact's bytes.

        Raises:
            LedgerError: if it is missing, unreadable, or no longer what it was.
        """
        path = self.path(artifact)
        try:
            content = read_own(path, MOST_BYTES)
        except (OSError, NotOwn) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise LedgerError(
                f"the artifact {artifact} cannot be read ({why})",
                where=str(path),
                remedy="Restore the file from a copy of the run.",
            ) from error
        if sha256(content) != artifact:
            raise LedgerError(
                f"the artifact {artifact} was changed: its content has another hash",
                where=str(path),
                remedy="Restore the file from a copy of the run.",
            )
        return content

    def read(self, artifact: str, reader: Callable[[Path], T]) -> T:
        """Return what a reader of files makes of an artifact, such as a model of a checkpoint.

        It is given a private copy of the bytes whose hash was checked: whoever writes to the run
        meanwhile changes nothing that is read.

        Raises:
            LedgerError: as ``get``.
            RunError: if the copy cannot be written.
        """
        content = self.get(artifact)
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="alloop-"))
                copy = Path(folder) / artifact
                copy.write_bytes(content)
            except OSError as error:
                raise RunError(
                    f"no copy of an artifact can be written ({error.strerror})",
                    where=str(error.filename or folder),
                    remedy="Make room there, or set TMPDIR to a folder with room.",
                ) from error
            return reader(copy)

    def get_material(self, artifact: str) -> Material:
        """Return the material stored under its id.

        Raises:
            LedgerError: as ``get``.
            MaterialError: if the artifact is not a material.
        """
        content = self.get(artifact)
        try:
            return material_from_json(json.loads(content))
        except (ValueError, RecursionError) as error:
            raise MaterialError(f"the artifact {artifact} is not a material's JSON") from error

    def path(self, artifact: str) -> Path:
        """Return the path of an artifact, which need not exist.

        Raises:
            LedgerError: if the id is not 64 hexadecimal digits.
        """
        if not _ID.fullmatch(artifact):
            raise LedgerError(f"{artifact!r} is not an artifact's id (64 hexadecimal digits)")
        return self.folder / artifact[:2] / artifact

    def __contains__(self, artifact: str) -> bool:
        return self.path(artifact).is_file()


def _material_bytes(material: Material) -> bytes:
    return canonical_json(material_to_json(material)).encode()
