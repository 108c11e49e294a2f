"""Failures of calculations: from exceptions to kinds of failure."""

import errno
import os
from pathlib import Path
from traceback import format_exception_only

from alloop.oracles.base import RETRYABLE, Failure, FailureKind
from alloop.oracles.failure import MeasurementFailed

FULL_DISK = "the disk is full: make room, then measure it again"
KILLED = "VASP was killed or crashed: its output is incomplete"
UNCONVERGED = "it did not converge"

ERROR_PATTERNS = (
    (os.strerror(errno.ENOSPC), FailureKind.WORKER_DIED, FULL_DISK),
    (os.strerror(errno.EDQUOT), FailureKind.WORKER_DIED, FULL_DISK),
    ("TimeoutError: ", FailureKind.TIMEOUT, "it reached its time limit"),
    ("custodian.custodian.ReturnCodeError", FailureKind.WORKER_DIED, KILLED),
    ("custodian.custodian.ValidationError", FailureKind.WORKER_DIED, KILLED),
    ("died with <Signals.", FailureKind.WORKER_DIED, "the program was killed"),
    ("perhaps your job did not converge", FailureKind.NOT_CONVERGED, UNCONVERGED),  # atomate2
    ("convergence NOT achieved", FailureKind.NOT_CONVERGED, UNCONVERGED),  # pw.x
    ("custodian.custodian.", FailureKind.NOT_CONVERGED, "custodian gave up"),
)
"""Patterns of a traceback or a program's output, what they mean, and how to say it; the first that
is found counts. Patterns, because a traceback from another machine is text."""

OUTPUT_FILES = ("std_err.txt", "vasp.out", "espresso.err", "espresso.pwo")
"""Names of the files that programs print to."""

TAIL_BYTES = 4000
"""Number of bytes read at the end of such a file."""


class FlowFailed(Exception):
    """Raised when a job of a flow raised.

    Args:
        text: the traceback.
        where: its folder, or what jobflow-remote knows it by.
    """

    def __init__(self, text: str, where: str) -> None:
        super().__init__(text)
        self.where = where


def failure_of(error: BaseException) -> Failure:
    """Return the failure that an exception means for the candidate, with the place to look
    further."""
    if isinstance(error, MeasurementFailed):
        return error.failure
    where = ""
    if isinstance(error, FlowFailed):
        text, where = str(error), f" (see {error.where})"
    else:
        text = "".join(format_exception_only(error))
    last = " ".join(text.strip().rpartition("\n")[2].split())[:300] or "no reason was given"
    for words, kind, message in ERROR_PATTERNS:
        if words in text:
            detail = "" if message in (FULL_DISK, KILLED, UNCONVERGED) else f": {last}"
            return _failure(kind, f"{message}{detail}{where}")
    return _failure(FailureKind.ERROR, f"{last}{where}")


def output_tails(folder: Path) -> str:
    """Return the ends of the programs' output files in a folder and its subfolders."""
    texts = []
    for path in (path for name in OUTPUT_FILES for path in sorted(folder.rglob(name))):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            texts.append(file.read().decode("utf-8", "replace"))
    return "\n".join(texts)


def _failure(kind: FailureKind, message: str) -> Failure:
    return Failure(kind, message, retryable=kind in RETRYABLE)
