"""An oracle in a process of its own, so that nothing it does harms the campaign.

The worker writes each measurement into the spool before it answers: see ``spool``.
"""

import pickle
import threading
import time
from dataclasses import dataclass

from alloop.canonical import canonical_json
from alloop.errors import RunError
from alloop.loop.measure.spool import Spool
from alloop.loop.measure.worker_limits import end_what_was_started_by, memory_limit
from alloop.loop.measure.worker_process import (
    GRACE_PERIOD,
    Reply,
    Superseded,
    WorkerBroken,
    WorkerDied,
    WorkerProcess,
)
from alloop.oracles.base import Cost, FailureKind, Measurement, Oracle

START_LIMIT = 120.0
"""Time in which a worker that imports its oracle must have used the processor at all, s; on a busy
machine it may take several such times. Not counted as time of a measurement."""
_START_LIMITS = 15
"""Number of such times after which a worker that is busy, but not ready, is given up."""

_ATTEMPTS = 3
"""Number of workers tried for one evaluation while they die before they begin it."""


@dataclass(frozen=True)
class PackedOracle:
    """An oracle pickled for its worker; nothing of it is imported on the way."""

    name: str
    fingerprint: str
    content: bytes


def pack(oracle: Oracle) -> PackedOracle:
    """Return an oracle pickled for its worker.

    Raises:
        RunError: if it cannot be sent to another process.
    """
    try:
        return PackedOracle(oracle.name, oracle.fingerprint(), pickle.dumps(oracle))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise RunError(
            f"the oracle {oracle.name!r} cannot be sent to a worker process ({error})",
            remedy="Define its class in a module, and open files and simulators in `measure`.",
        ) from error


class IsolatedOracle:
    """One oracle in one worker process, started at the first measurement and used again.

    Args:
        oracle: what measures; its class is imported in the worker only.
        timeout: seconds for one measurement.
        spool: for measurements that the ledger does not have yet.
    """

    def __init__(self, oracle: PackedOracle, *, timeout: float, spool: Spool) -> None:
        self._oracle = oracle
        self._timeout = timeout
        self._spool = spool
        self._worker: WorkerProcess | None = None
        self._busy = threading.Lock()
        self._closed = False

    def measure(self, evaluation: str, payload: str) -> Measurement:
        """Return the measurement of a material; a failed one if the worker dies or is too slow.

        Args:
            evaluation: what the ledger knows this measurement by.
            payload: canonical JSON as ``choose.augmentation.task_payload`` makes it: a material,
                or a start and exchanges.

        Raises:
            RunError: if the oracle cannot start, the spool cannot be written, the evaluation is
                done and forgotten, or ``close`` was called meanwhile.
        """
        self._spool.path(evaluation)  # it is a plain file name
        task = canonical_json({"evaluation": evaluation, "material": payload}).encode()
        with self._busy:
            if self._closed:
                raise _unwanted()
            began = time.monotonic()
            failure: tuple[FailureKind, str] | None = None
            try:
                worker = self._begin(task)
                began = time.monotonic()
                worker.expect(
                    Reply.DONE,
                    self._timeout,
                    is_answered=lambda: self._is_answered(evaluation),
                )
            except Superseded:
                self._end(grace=0.0)  # a person has cancelled it
            except TimeoutError:
                self._end(grace=0.0)
                failure = FailureKind.TIMEOUT, f"it took longer than {self._timeout:g} s"
            except WorkerDied:
                failure = FailureKind.WORKER_DIED, self._end(grace=GRACE_PERIOD)
                # The worker's own watchdog may be faster than a controller that was busy.
                if time.monotonic() - began >= self._timeout:
                    failure = FailureKind.TIMEOUT, f"it took longer than {self._timeout:g} s"
            except WorkerBroken as error:
                self._end(grace=GRACE_PERIOD)
                raise self._unusable(str(error)) from error
            except BaseException:
                self._end(grace=0.0)
                raise
            # A worker may have finished in the moment it died.
            if (spooled := self._spool.load(evaluation, self._oracle.fingerprint)) is not None:
                return spooled
            if failure is None or self._closed:
                raise _unwanted()
            return self._write_failure(evaluation, *failure, time.monotonic() - began)

    def close(self) -> None:
        """End the worker; one that is measuring is killed, and ``measure`` raises."""
        self._closed = True
        if self._busy.acquire(blocking=False):
            self._leave()
            self._busy.release()
        elif (worker := self._worker) is not None:
            worker.kill()

    def finish(self) -> None:
        """Wait for what is being measured, then end the worker."""
        with self._busy:
            self._closed = True
            self._leave()

    def _is_answered(self, evaluation: str) -> bool:
        return (
            self._spool.path(evaluation).exists()
            and self._spool.load(evaluation, self._oracle.fingerprint) is not None
        )

    def _leave(self) -> None:
        if self._worker is not None:
            self._worker.leave()
            self._end(grace=GRACE_PERIOD)

    def _begin(self, task: bytes) -> WorkerProcess:
        """Return a worker that has begun the task. A death before that is not the candidate's.

        Raises:
            TimeoutError: if another worker that measures the same does not end.
        """
        how = ""
        for _ in range(_ATTEMPTS):
            try:
                worker = self._worker or self._start()
                worker.send(task)
                # Another worker, of a controller that died, may still measure the same.
                worker.expect(Reply.BEGUN, self._timeout + 2 * GRACE_PERIOD)
            except WorkerDied:
                how = self._end(grace=GRACE_PERIOD)
                if self._closed:
                    raise _unwanted() from None
            else:
                return worker
        raise self._unusable(how)

    def _start(self) -> WorkerProcess:
        self._spool.make()
        try:
            worker = self._worker = WorkerProcess()
        except OSError as error:
            raise WorkerBroken(f"the system starts no process ({error.strerror})") from error
        if self._closed:
            worker.kill()
        settings = {
            "spool": str(self._spool.folder.absolute()),
            "key": self._spool.key.hex(),
            "token": self._spool.token,
            "limit": self._timeout + GRACE_PERIOD,
            "memory": memory_limit(),
        }
        worker.send(canonical_json(settings).encode())
        worker.send(self._oracle.content)
        _wait_until_ready(worker)
        return worker

    def _end(self, *, grace: float) -> str:
        worker, self._worker = self._worker, None
        if worker is None:
            return ""
        how = worker.end(grace=grace)
        end_what_was_started_by(self._spool.token, worker.pid)
        return how

    def _write_failure(
        self, evaluation: str, kind: FailureKind, message: str, seconds: float
    ) -> Measurement:
        measurement = Measurement.failed(
            kind,
            message,
            oracle=self._oracle.name,
            fingerprint=self._oracle.fingerprint,
            cost=Cost(calls=1, wall_seconds=seconds),
        )
        content = canonical_json(measurement.to_json()).encode()
        self._spool.write(evaluation, self._oracle.fingerprint, content)
        return measurement

    def _unusable(self, why: str) -> RunError:
        return RunError(
            f"the oracle {self._oracle.name!r} does not work in its worker process: {why}",
            remedy="Correct the error, then run the same command again.",
        )


def _unwanted() -> RunError:
    return RunError("the measurement is no longer wanted: it is recorded, or its pool was closed")


def _wait_until_ready(worker: WorkerProcess) -> None:
    """Wait for a worker that imports its oracle, as long as it gets on.

    Raises:
        WorkerDied, WorkerBroken: if it does not become ready.
    """
    used = 0.0
    for n in range(1, _START_LIMITS + 1):
        try:
            return worker.expect(Reply.READY, START_LIMIT)
        except TimeoutError as error:
            before, used = used, worker.processor_seconds()
            if n == _START_LIMITS:
                raise WorkerBroken(f"it was not ready after {n * START_LIMIT:g} s") from error
            if used <= before:
                how = f"it was not ready after {START_LIMIT:g} s in which it did nothing"
                raise WorkerBroken(how) from error
    raise AssertionError("at least one start limit")
