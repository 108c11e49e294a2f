"""Controller side of a worker process: starting, messages, ending."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from multiprocessing import Pipe

import psutil

GRACE_PERIOD = 5.0
"""Time that a process is given beyond its limit, or to leave on its own, s."""

_POLL_INTERVAL = 1.0
"""Interval between checks whether a silent process still lives, s."""
_LAST_WORD = 2.0
"""Time in which a worker says that it is done once its answer is written, s."""
_OUTPUT_TAIL = 300
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
}
"""Environment of a worker, unless the user's says otherwise: one core, and glibc keeps the memory
that it has had. Else the arrays of a learned potential are mapped and cleared anew with every call,
a seventh of its time."""
_BOOTSTRAP = (
    "import sys; handle = int(sys.argv[1]); sys.path[:] = sys.argv[2:]; "
    "from alloop.loop.measure.worker import main; main(handle)"
)


class Reply(bytes, Enum):
    """Messages of a worker to its controller."""

    READY = b"ready"
    """The worker holds its oracle."""
    BROKEN = b"broken"
    """The worker cannot work at all; the reason follows."""
    BEGUN = b"begun"
    """The worker has begun the evaluation, and its time limit runs."""
    DONE = b"done"
    """The measurement is in the spool."""


class WorkerDied(Exception):
    """Raised when the process ended before it answered."""


class WorkerBroken(Exception):
    """Raised when the process lives, but cannot do its work."""


class Superseded(Exception):
    """Raised when somebody else has answered what a process works at."""


class WorkerProcess:
    """A fresh interpreter that runs ``alloop.loop.measure.worker``, in a process group of its own.

    Not a ``multiprocessing.Process``: that would import the caller's main module again, be
    joined without a limit when the controller exits, and be refused inside a Dask nanny.
    Ctrl-C in the terminal does not reach the group, and ending it ends what the oracle started.
    """

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOTSTRAP, str(theirs.fileno()), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=_ENVIRONMENT | os.environ,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )

    def send(self, content: bytes) -> None:
        """Send a message, and forget what the process printed before.

        Raises:
            WorkerDied: if nobody is there to read it.
        """
        os.ftruncate(self._log.fileno(), 0)
        self._log.seek(0)
        try:
            self._connection.send_bytes(content)
        except OSError as error:
            raise WorkerDied from error

    def expect(
        self, reply: Reply, limit: float, *, is_answered: Callable[[], bool] = lambda: False
    ) -> None:
        """Wait at most ``limit`` seconds for a reply.

        Args:
            reply: expected one.
            limit: longest wait, s.
            is_answered: whether what the process works at was answered by somebody else.

        Raises:
            TimeoutError: if it does not come.
            Superseded: if somebody else has answered, and the process goes on working.
            WorkerDied: if the process ended.
            WorkerBroken: if the process cannot work; the error's text is its own.
        """
        deadline = time.monotonic() + limit
        while not self._connection.poll(max(0.0, min(_POLL_INTERVAL, deadline - time.monotonic()))):
            if self._process.poll() is not None:
                raise WorkerDied
            # A worker that is done has answered by itself, and says so at once.
            if is_answered() and not self._connection.poll(_LAST_WORD):
                raise Superseded
            if time.monotonic() >= deadline:
                raise TimeoutError
        try:
            message = self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise WorkerDied from error
        if message.startswith(Reply.BROKEN):
            raise WorkerBroken(message.removeprefix(Reply.BROKEN).decode())
        if message != reply:
            raise WorkerBroken(f"it said {message!r} instead of {reply.value!r}")

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def processor_seconds(self) -> float:
        """Return the processor time that the process has used so far, s."""
        with suppress(psutil.Error):
            times = psutil.Process(self._process.pid).cpu_times()
            return float(times.user + times.system)
        return 0.0

    def kill(self) -> None:
        """End the process and all that it started; ``end`` must still follow."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self, *, grace: float) -> str:
        """Give the process some seconds to leave, then kill it; return how it ended.

        A process stuck in the kernel is left behind rather than waited for.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_PERIOD)
        words = self._output_tail()
        self._connection.close()
        self._log.close()
        return _exit_description(self._process.returncode) + (
            f"; it last said: {words}" if words else ""
        )

    def leave(self) -> None:
        """Let the process leave, by closing the connection; ``end`` must still follow."""
        self._connection.close()

    def _output_tail(self) -> str:
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), _OUTPUT_TAIL, max(0, size - _OUTPUT_TAIL))
        return " ".join(tail.decode("utf-8", "backslashreplace").split())


def _exit_description(code: int | None) -> str:
    if code is None:
        return "it could not be ended"
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}"
