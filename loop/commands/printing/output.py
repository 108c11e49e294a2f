"""Standard output that does not end a command: whatever the terminal's encoding, whoever reads.

A campaign goes on when the pager or the terminal that it printed to is gone, and a measurement is
not lost because a name in it cannot be encoded.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


class LastingOutput(io.TextIOWrapper):
    """Text stream whose writes never fail.

    What the encoding lacks becomes an escape such as ``\\u03c3``. Once the other end is gone, or
    the disk is full, everything goes nowhere; ``lost`` says why.
    """

    lost: OSError | None = None
    """Error of the first write that failed."""

    def write(self, text: str, /) -> int:
        """Write text, or drop it where nobody takes it any more."""
        try:
            return super().write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        """Pass on what was written, or drop it."""
        try:
            super().flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.lost = self.lost or error
        # By its number, so that C libraries and the interpreter's last flush do not fail either.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


@contextmanager
def lasting_output() -> Iterator[None]:
    """Make standard output and standard error last, and open where they are closed.

    A closed one would be the number of the next file that is opened, and what a library prints
    would be written into that.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _lasting(sys.stdout, 1), _lasting(sys.stderr, 2)
    try:
        yield
    finally:
        ours = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = before
        for stream in ours:
            stream.flush()
            if isinstance(stream, LastingOutput):
                stream.detach()  # or the buffer, which is the other's too, is closed with it


def _lasting(stream: IO[str] | None, number: int) -> IO[str]:
    if stream is None:
        return LastingOutput(open(number, "wb", closefd=False), "utf-8", "backslashreplace")
    if not isinstance(stream, io.TextIOWrapper) or isinstance(stream, LastingOutput):
        return stream  # somebody else's, such as a test's
    return LastingOutput(
        stream.buffer,
        stream.encoding,
        "backslashreplace",
        line_buffering=stream.line_buffering,
    )


def output_problem() -> str:
    """Return why output was lost; an empty string where it was not, or a reader closed its pipe."""
    sys.stdout.flush()
    lost = getattr(sys.stdout, "lost", None)
    return "" if lost is None or lost.errno == errno.EPIPE else str(lost.strerror)


def is_unicode(stream: IO[str]) -> bool:
    """Return whether a stream can write every character."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")
