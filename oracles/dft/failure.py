"""Why a calculation gave no values: from exceptions to kinds of failure."""

import errno
import os
import subprocess
from pathlib import Path

from custodian.custodian import CustodianError, ReturnCodeError, ValidationError

from oracles.base import RETRYABLE, Failure, FailureKind

FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})
UNCONVERGED = ("was not successful (perhaps your job did not converge", "convergence NOT achieved")
"""Words of atomate2 and of pw.x when forces or charges do not settle."""
FULL_DISK_MESSAGE = "the disk is full: make room, then measure it again"
KILLED_MESSAGE = "VASP was killed or crashed: its output is incomplete"
PRINTED = ("std_err.txt", "vasp.out", "espresso.err")
"""Files with what the programs say of the system's errors."""
LAST_WORDS = 2000
"""Bytes read at the end of a program's output."""


class Undetermined(Exception):
    """A value that could not be determined; raised inside the oracle, never out of it."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message, retryable=kind in RETRYABLE)


class RunFailed(Exception):
    """A calculation raised; its folder is kept."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self.folder = folder


class RemoteJobFailed(Exception):
    """A job failed on another machine; its traceback is text."""

    def __init__(self, text: str, where: str) -> None:
        super().__init__(text)
        self.where = where


def failure_of(error: BaseException) -> Failure:  # noqa: PLR0911 - one line per kind
    """Return what an exception means for the candidate, with the folder to look into."""
    match error:
        case Undetermined():
            return error.failure
        case RunFailed():
            found = _told_by_files(error.folder) or failure_of(error.__cause__ or error)
            return Failure(found.kind, f"{found.message} (see {error.folder})", found.retryable)
        case RemoteJobFailed():
            found = _told_by_text(str(error))
            return Failure(found.kind, f"{found.message} (see {error.where})", found.retryable)
        case TimeoutError():
            return _of_machine(FailureKind.TIMEOUT, str(error))
        case OSError(errno=code) if code in FULL_DISK:
            return _of_machine(FailureKind.ERROR, FULL_DISK_MESSAGE)
        case ReturnCodeError() | ValidationError():
            return _of_machine(FailureKind.WORKER_DIED, KILLED_MESSAGE)
        case CustodianError():
            return Failure(FailureKind.NOT_CONVERGED, f"custodian gave up: {_line(error)}")
        case subprocess.CalledProcessError(returncode=code) if code < 0:
            return _of_machine(
                FailureKind.WORKER_DIED, f"{error.cmd[0]} was ended by signal {-code}"
            )
        case _ if any(words in str(error) for words in UNCONVERGED):
            return Failure(FailureKind.NOT_CONVERGED, "it did not converge")
    return Failure(FailureKind.ERROR, f"{type(error).__name__}: {_line(error)}")


def _told_by_text(traceback: str) -> Failure:
    """Return the failure that a traceback of another process tells of, as ``failure_of`` would."""
    last = traceback.strip().splitlines()[-1] if traceback.strip() else "no reason was given"
    if os.strerror(errno.ENOSPC) in traceback:
        return _of_machine(FailureKind.ERROR, FULL_DISK_MESSAGE)
    if "TimeoutError" in last:
        return _of_machine(FailureKind.TIMEOUT, last)
    if "ReturnCodeError" in last or "ValidationError" in last:
        return _of_machine(FailureKind.WORKER_DIED, KILLED_MESSAGE)
    if any(words in traceback for words in UNCONVERGED) or "custodian" in last:
        return Failure(FailureKind.NOT_CONVERGED, f"it did not converge: {last[:300]}")
    return Failure(FailureKind.ERROR, last[:300])


def last_words(path: Path) -> str:
    """Return the end of a text file; nothing if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LAST_WORDS))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _of_machine(kind: FailureKind, message: str) -> Failure:
    return Failure(kind, message, retryable=True)


def _told_by_files(folder: Path) -> Failure | None:
    """Return the failure that a run's files tell of, more plainly than what was raised."""
    outputs = (path for name in PRINTED for path in folder.rglob(name))
    if any(os.strerror(errno.ENOSPC) in last_words(path) for path in outputs):
        return _of_machine(FailureKind.ERROR, FULL_DISK_MESSAGE)
    return None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
