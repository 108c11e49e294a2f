"""An oracle in a process of its own, so that nothing it does harms the campaign.

The worker writes each measurement into the spool before it answers. So what was paid for is
safe before anything else can happen, and an evaluation asked for again, by this controller or
by the one that resumes after a crash, is read there instead of being measured twice.
"""

import json
import pickle
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from alloop.canonical import canonical_json
from alloop.durable import make_folder, write_durably
from alloop.errors import MaterialError, RunError
from alloop.loop.measure.worker_process import (
    GRACE_PERIOD,
    Reply,
    WorkerBroken,
    WorkerDied,
    WorkerProcess,
)
from alloop.oracles.base import Cost, FailureKind, Measurement, Oracle

START_LIMIT = 120.0
"""Time limit for a worker to import its oracle, s; not counted as time of a measurement."""

_ATTEMPTS = 3
"""Number of workers tried for one evaluation while they die before they begin it."""
_EVALUATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def spool_path(spool: Path, evaluation: str) -> Path:
    """Return the path of an evaluation's measurement in the spool.

    Raises:
        ValueError: if the evaluation's id is no plain file name.
    """
    return spool / f"{_plain(evaluation)}.json"


def lock_path(spool: Path, evaluation: str) -> Path:
    """Return the file that a worker locks while it measures."""
    return spool / f"{_plain(evaluation)}.lock"


def load_spooled(path: Path) -> Measurement | None:
    """Return a spooled measurement; None if there is none, or none that can be read.

    Nothing half-written has this name, so what makes no sense was damaged later, and is
    measured again.

    Raises:
        RunError: if the file is there and cannot be opened.
    """
    try:
        return Measurement.from_json(json.loads(path.read_bytes()))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, MaterialError):
        return None
    except OSError as error:
        raise RunError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy="Restore access, then `alloop resume`.",
        ) from error


def read_spool(spool: Path) -> dict[str, Measurement]:
    """Return the measurements that no controller has taken yet, by evaluation."""
    found = {path.stem: load_spooled(path) for path in sorted(spool.glob("*.json"))}
    return {evaluation: one for evaluation, one in found.items() if one is not None}


def attempt_id(evaluation: str, attempt: int) -> str:
    """Return the id of an attempt in the spool; the first has the evaluation's own id."""
    return evaluation if attempt == 1 else f"{evaluation}-{attempt}"


def attempt_of(id: str) -> tuple[str, int]:
    """Return the evaluation and the number of an attempt."""
    evaluation, _, attempt = id.partition("-")
    return evaluation, int(attempt) if attempt.isdecimal() else 1


def forget(spool: Path, evaluation: str) -> None:
    """Clear an evaluation from the spool, once the ledger has its measurement."""
    # The lock goes first: who waits for it sees that it is gone and leaves the rest alone.
    lock_path(spool, evaluation).unlink(missing_ok=True)
    path = spool_path(spool, evaluation)
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.tmp").unlink(missing_ok=True)


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
        spool: folder for measurements that the ledger does not have yet.
    """

    def __init__(self, oracle: PackedOracle, *, timeout: float, spool: Path) -> None:
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
        path = spool_path(self._spool, evaluation)
        task = canonical_json({"evaluation": evaluation, "material": payload}).encode()
        with self._busy:
            if self._closed:
                raise _unwanted()
            began = time.monotonic()
            failure: tuple[FailureKind, str] | None = None
            try:
                worker = self._begin(task)
                began = time.monotonic()
                worker.expect(Reply.DONE, self._timeout)
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
            if (spooled := load_spooled(path)) is not None:
                return spooled
            if failure is None or self._closed:
                raise _unwanted()
            return self._write_failure(path, *failure, time.monotonic() - began)

    def close(self) -> None:
        """End the worker; one that is measuring is killed, and ``measure`` raises."""
        self._closed = True
        if self._busy.acquire(blocking=False):
            if self._worker is not None:
                self._worker.dismiss()
                self._worker = None
            self._busy.release()
        elif (worker := self._worker) is not None:
            worker.kill()

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
        make_folder(self._spool)
        try:
            worker = self._worker = WorkerProcess()
        except OSError as error:
            raise WorkerBroken(f"the system starts no process ({error.strerror})") from error
        if self._closed:
            worker.kill()
        settings = {"spool": str(self._spool.absolute()), "limit": self._timeout + GRACE_PERIOD}
        worker.send(canonical_json(settings).encode())
        worker.send(self._oracle.content)
        try:
            worker.expect(Reply.READY, START_LIMIT)
        except TimeoutError as error:
            raise WorkerBroken(f"it was not ready after {START_LIMIT:g} s") from error
        return worker

    def _end(self, *, grace: float) -> str:
        worker, self._worker = self._worker, None
        return "" if worker is None else worker.end(grace=grace)

    def _write_failure(
        self, path: Path, kind: FailureKind, message: str, seconds: float
    ) -> Measurement:
        measurement = Measurement.failed(
            kind,
            message,
            oracle=self._oracle.name,
            fingerprint=self._oracle.fingerprint,
            cost=Cost(calls=1, wall_seconds=seconds),
        )
        write_durably(path, canonical_json(measurement.to_json()).encode())
        return measurement

    def _unusable(self, why: str) -> RunError:
        return RunError(
            f"the oracle {self._oracle.name!r} does not work in its worker process: {why}",
            remedy="Correct the error, then run the same command again.",
        )


def _unwanted() -> RunError:
    return RunError("the measurement is no longer wanted: it is recorded, or its pool was closed")


def _plain(evaluation: str) -> str:
    if not _EVALUATION.fullmatch(evaluation):
        raise ValueError(f"{evaluation!r} is not an evaluation's id")
    return evaluation
