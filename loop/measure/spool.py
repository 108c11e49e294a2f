"""The spool: sealed measurements that the ledger does not have yet.

A worker writes each measurement here before it answers. So what was paid for is safe before
anything else can happen, and an evaluation asked for again, by this controller or by the one that
resumes after a crash, is read here instead of being measured twice.

Nothing is believed because it lies here: each file carries an HMAC under a key of this run that is
derived from the user's and lies in no run folder. It covers the evaluation, the fingerprint that
was asked for and every byte of the measurement, and is checked before any of them is parsed.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Self

from alloop.canonical import canonical_json
from alloop.durable import make_folder, write_durably
from alloop.errors import MaterialError, RunError
from alloop.loop.record.own_files import read_kept
from alloop.oracles.base import Measurement, exchange_fingerprint
from alloop.user_key import keyed_seal, seal

MOST_BYTES = 32_000_000
"""Largest measurement, relaxed structure and documents included: what a controller parses in a few
hundred megabytes. A record of a DFT relaxation of a hundred steps has about one million."""

_EVALUATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_HEADER = re.compile(rb'\{"seal":"([0-9a-f]{64})"\}\n')
_HEADER_LENGTH = len(b'{"seal":""}\n') + 64

_log = logging.getLogger("alloop")


@dataclass(frozen=True)
class Spool:
    """Spool of one run, or of one session of measuring."""

    folder: Path
    key: bytes = field(repr=False)
    """Secret that its files are sealed with; workers get it from their parent, through a socket."""

    @classmethod
    def of_run(cls, run: Path, origin: str) -> Self:
        """Return the spool of a run; the same key each time, for the same user.

        Args:
            run: the run directory.
            origin: hash of the ledger's first entry, which no other run has.

        Raises:
            RunError: if the user's key cannot be made or read.
        """
        return cls(run / "spool", bytes.fromhex(seal("spool of a run", origin.encode())))

    @property
    def token(self) -> str:
        """Name of the key, which anybody may see."""
        return hashlib.sha256(b"token" + self.key).hexdigest()[:16]

    @classmethod
    def temporary(cls, folder: Path) -> Self:
        """Return a spool that nobody reads later: its key is forgotten."""
        return cls(folder, secrets.token_bytes(32))

    def make(self) -> None:
        """Make the folder.

        Raises:
            RunError: if it cannot be made, or is a link.
        """
        if self.folder.is_symlink():
            raise RunError(
                "the spool is a link; what is measured would be written elsewhere",
                where=str(self.folder),
                remedy="Remove the link, then `alloop resume`.",
            )
        make_folder(self.folder)

    def path(self, evaluation: str) -> Path:
        """Return the path of an evaluation's measurement.

        Raises:
            ValueError: if the evaluation's id is no plain file name.
        """
        return self.folder / f"{_plain(evaluation)}.json"

    def lock_path(self, evaluation: str) -> Path:
        """Return the file that a worker locks while it measures."""
        return self.folder / f"{_plain(evaluation)}.lock"

    def write(self, evaluation: str, fingerprint: str, content: bytes) -> None:
        """Store a measurement durably, sealed.

        Args:
            evaluation: that it answers.
            fingerprint: of the tier's oracle, which was asked.
            content: canonical JSON of the measurement.

        Raises:
            RunError: if it cannot be written.
        """
        write_durably(self.path(evaluation), self._sealed(evaluation, fingerprint, content))

    def write_first(self, evaluation: str, fingerprint: str, content: bytes) -> bool:
        """Store a measurement as ``write`` does, unless there is one; return whether it was stored.

        Raises:
            RunError: if it cannot be written.
        """
        with NamedTemporaryFile(dir=self.folder, prefix=".", suffix=".tmp") as file:
            file.write(self._sealed(evaluation, fingerprint, content))
            file.flush()
            try:
                os.link(file.name, self.path(evaluation))
            except FileExistsError:
                return False
        return True

    def load(self, evaluation: str, fingerprint: str) -> Measurement | None:
        """Return the measurement of an evaluation by the oracle of a fingerprint.

        None if there is none, or none that a worker of this run wrote in answer to this: nothing
        half-written has the name, so that was damaged later, or comes from elsewhere, and the
        evaluation is measured again.

        Raises:
            RunError: if the file is there and cannot be opened.
        """
        path = self.path(evaluation)
        if (content := read_kept(path, MOST_BYTES + _HEADER_LENGTH)) is None:
            return None
        header, body = _HEADER.match(content), content[_HEADER_LENGTH:]
        sealed = header.group(1).decode() if header else ""
        if not hmac.compare_digest(sealed, self._seal(evaluation, fingerprint, body)):
            _log.warning("%s: no worker of this run sealed it; it is not believed", path)
            return None
        try:
            measurement = Measurement.from_json(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MaterialError):
            _log.warning("%s: it is no measurement", path)
            return None
        return measurement if is_answer_of(measurement, fingerprint) else None

    def evaluations(self) -> Iterator[str]:
        """Yield the ids of evaluations that a file is named after, in order.

        Raises:
            RunError: if the folder is a link or cannot be read.
        """
        if self.folder.is_symlink():
            self.make()
        for path in sorted(self.folder.glob("*.json")):
            if _EVALUATION.fullmatch(path.stem):
                yield path.stem

    def latest_attempt(self, evaluation: str) -> int:
        """Return the number of the latest attempt that a worker has turned to, 1 if none has."""
        files = self.folder.glob(f"{_plain(evaluation)}*")
        found = [attempt_of(path.stem) for path in files if path.suffix in (".json", ".lock")]
        return max((attempt for name, attempt in found if name == evaluation), default=1)

    def forget(self, evaluation: str) -> None:
        """Clear an evaluation from the spool, once the ledger has its measurement.

        Raises:
            RunError: if a file cannot be removed.
        """
        path = self.path(evaluation)
        try:
            # The lock goes first: who waits for it sees that it is gone and leaves the rest alone.
            self.lock_path(evaluation).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.tmp").unlink(missing_ok=True)
        except OSError as error:
            raise RunError(
                f"cannot be removed ({error.strerror})",
                where=str(path),
                remedy="Restore access, then `alloop resume`.",
            ) from error

    def _sealed(self, evaluation: str, fingerprint: str, content: bytes) -> bytes:
        header = canonical_json({"seal": self._seal(evaluation, fingerprint, content)})
        return header.encode() + b"\n" + content

    def _seal(self, evaluation: str, fingerprint: str, content: bytes) -> str:
        return keyed_seal(self.key, evaluation.encode(), fingerprint.encode(), content)


def is_answer_of(measurement: Measurement, fingerprint: str) -> bool:
    """Return whether a measurement was made by the oracle of a fingerprint, from scratch or by
    exchanges of atoms."""
    return measurement.fingerprint in (fingerprint, exchange_fingerprint(fingerprint))


def attempt_id(evaluation: str, attempt: int) -> str:
    """Return the id of an attempt in the spool; the first has the evaluation's own id."""
    return evaluation if attempt == 1 else f"{evaluation}-{attempt}"


def attempt_of(id: str) -> tuple[str, int]:
    """Return the evaluation and the number of an attempt."""
    evaluation, _, attempt = id.partition("-")
    return evaluation, int(attempt) if attempt.isdecimal() and len(attempt) < 10 else 1


def _plain(evaluation: str) -> str:
    if not _EVALUATION.fullmatch(evaluation):
        raise ValueError(f"{evaluation!r} is not an evaluation's id")
    return evaluation
