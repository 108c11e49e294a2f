"""Worker side of ``isolation``: a process that holds one oracle and measures with it.

It is started with one end of a socket and ends when the other end is closed. What it has begun
to measure it finishes, and writes down, even when its controller is gone by then.
"""

import faulthandler
import fcntl
import json
import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from alloop.canonical import canonical_json
from alloop.errors import AlloopError
from alloop.loop.measure.holder import Holder
from alloop.loop.measure.spool import MOST_BYTES, Spool, is_answer_of
from alloop.loop.measure.worker_limits import adopt_orphans, bound_memory, end_descendants
from alloop.loop.measure.worker_process import GRACE_PERIOD, Reply
from alloop.materials import material_from_json
from alloop.oracles.base import Cost, ExchangeOracle, FailureKind, Measurement, NotFinite, Oracle
from alloop.oracles.elsewhere import told_to
from alloop.oracles.self_test import CanSelfTest

_MESSAGE_LENGTH = 500
_MOST_NESTED = 100
"""Deepest nesting of a document; records of calculations have about ten."""
_MOST_VALUES = 2_000_000
"""Most values in a document: as many numbers fill ``MOST_BYTES``."""
SECONDS_PER_HOUR = 3600


def main(handle: int) -> None:
    """Serve measurements until the socket is closed.

    Args:
        handle: file descriptor of an inherited socket.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Ctrl-C, a closed terminal and a batch system's farewell are for the controller to answer.
        signal.signal(number, signal.SIG_IGN)
    connection = Connection(handle)
    try:
        _serve(connection)
    except (EOFError, ConnectionError):
        pass  # the controller closed its end, or died: there is nobody to answer
    except Exception as error:
        connection.send_bytes(Reply.BROKEN + _describe(error).encode())
    # What an oracle does on leaving (MPI, for one) may hang.
    faulthandler.dump_traceback_later(GRACE_PERIOD, exit=True)
    end_descendants()


def _serve(connection: Connection) -> None:
    controller = os.getppid()
    settings = json.loads(connection.recv_bytes())
    spool = Spool(Path(settings["spool"]), bytes.fromhex(settings["key"]))
    bound_memory(settings["memory"])
    adopt_orphans(settings["token"])
    # The bytes come from our own parent process, through a socket that no one else has.
    oracle: Oracle = pickle.loads(connection.recv_bytes())  # noqa: S301
    fingerprint = oracle.fingerprint()
    connection.send_bytes(Reply.READY)
    while True:
        task = json.loads(connection.recv_bytes())
        if os.getppid() != controller:
            return  # it died meanwhile, and the next one may have this measured already
        evaluation = task["evaluation"]
        with _hold(spool.lock_path(evaluation)) as is_held:
            connection.send_bytes(Reply.BEGUN)
            if _is_missing(spool, evaluation, fingerprint, is_held):
                # The watchdog needs no controller, and no GIL.
                faulthandler.dump_traceback_later(settings["limit"], exit=True)
                content = _measure(oracle, task["material"])
                faulthandler.cancel_dump_traceback_later()
                spool.write(evaluation, fingerprint, content)
        connection.send_bytes(Reply.DONE)


def _measure(oracle: Oracle, material: str) -> bytes:
    """Return the measurement as JSON, a failed one where the oracle broke its promise."""
    began = time.monotonic()

    def failed(kind: FailureKind, message: str) -> bytes:
        cost = Cost(calls=1, wall_seconds=time.monotonic() - began)
        measurement = Measurement.failed(
            kind, message, oracle=oracle.name, fingerprint=oracle.fingerprint(), cost=cost
        )
        return canonical_json(measurement.to_json()).encode()

    try:
        measurement: object = _ask(oracle, json.loads(material))
        if not isinstance(measurement, Measurement):
            name = type(measurement).__name__
            return failed(FailureKind.ERROR, f"the oracle returned {name}, not a Measurement")
        return _written(_settled(measurement, time.monotonic() - began), oracle.fingerprint())
    except NotFinite as error:
        return failed(FailureKind.UNPHYSICAL, str(error))
    except _Unusable as error:
        return failed(error.kind, f"the measurement cannot be written down ({error})")
    except (Exception, SystemExit) as error:
        return failed(FailureKind.ERROR, _describe(error))


class _Unusable(Exception):
    """Raised for an oracle's measurement that no ledger could hold."""

    def __init__(self, kind: FailureKind, why: str) -> None:
        self.kind = kind
        super().__init__(why[:_MESSAGE_LENGTH])


def _written(measurement: Measurement, fingerprint: str) -> bytes:
    """Return the measurement as JSON.

    Raises:
        _Unusable: if a controller could not, or must not, take it in.
    """
    if not is_answer_of(measurement, fingerprint):
        raise _Unusable(FailureKind.ERROR, "its fingerprint is not that of the oracle")
    if (problem := measurement.cost.problem) is not None:
        raise _Unusable(FailureKind.UNPHYSICAL, problem)
    _require_flat(measurement.document)
    try:
        content = canonical_json(measurement.to_json()).encode()
    except ValueError as error:
        raise _Unusable(FailureKind.UNPHYSICAL, str(error)) from error
    except (TypeError, RecursionError) as error:
        raise _Unusable(FailureKind.ERROR, str(error)) from error
    if len(content) > MOST_BYTES:
        size = f"it has {len(content):,} bytes; more than {MOST_BYTES:,} are not taken"
        raise _Unusable(FailureKind.ERROR, size)
    return content


def _require_flat(document: object) -> None:
    """Refuse a document that is nested so deeply that readers of JSON give up, or endless.

    Raises:
        _Unusable: naming the bound.
    """
    waiting: list[tuple[object, int]] = [(document, 0)]
    n = 0
    while waiting:
        value, depth = waiting.pop()
        n += 1
        if depth > _MOST_NESTED or n > _MOST_VALUES:
            why = f"its document is nested more than {_MOST_NESTED} deep, or endless"
            raise _Unusable(FailureKind.ERROR, why)
        if isinstance(value, Mapping):
            waiting += [(each, depth + 1) for each in value.values()]
        elif isinstance(value, list | tuple):
            waiting += [(each, depth + 1) for each in value]


def _settled(measurement: Measurement, seconds: float) -> Measurement:
    """Return a measurement with its cost, where its oracle left that out: a call on one core."""
    if measurement.cost != Cost():
        return measurement
    cost = Cost(calls=1, wall_seconds=seconds, core_hours=seconds / SECONDS_PER_HOUR)
    return replace(measurement, cost=cost)


def _ask(oracle: Oracle, payload: dict[str, Any]) -> Measurement:
    """Return the oracle's measurement of a material, or of what exchanges of atoms make of one, or
    its self-test."""
    if "self_test" in payload:
        assert isinstance(oracle, CanSelfTest)
        return oracle.self_test()
    if "exchanges" not in payload:
        return oracle.measure(material_from_json(payload))
    assert isinstance(oracle, ExchangeOracle)
    exchanges = [(i, j) for i, j in payload["exchanges"]]
    return oracle.measure_exchanged(material_from_json(payload["start"]), exchanges)


def _is_missing(
    spool: Spool, evaluation: str, fingerprint: str, is_held: Callable[[], bool]
) -> bool:
    """Return whether an evaluation is to be measured: it is not in the spool, and has not been
    cleared from there either.

    In this order: ``Spool.forget`` takes the lock away before the measurement, so that what was
    cleared between the two looks is seen by the second.
    """
    return spool.load(evaluation, fingerprint) is None and is_held()


@contextmanager
def _hold(path: Path) -> Iterator[Callable[[], bool]]:
    """Hold an evaluation's lock, waiting for whoever holds it now.

    Yields a function that returns whether the lock's file is still there: if not, another worker's
    measurement is in the ledger, its spooled copy cleared, and nothing is left to do.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)

    def is_held() -> bool:
        try:
            return path.stat().st_ino == os.fstat(descriptor).st_ino
        except FileNotFoundError:
            return False

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        holder = Holder.here()

        def write(where: str) -> None:
            content = holder.waiting_for(where).to_bytes()
            os.pwrite(descriptor, content, 0)
            os.ftruncate(descriptor, len(content))

        write("")
        with told_to(write):
            yield is_held
    finally:
        os.close(descriptor)


def _describe(error: BaseException) -> str:
    """Return type, message and place of an exception, of our own the message, in letters that any
    file can hold."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    if isinstance(error, AlloopError):
        text = str(error)[:_MESSAGE_LENGTH]
    else:
        text = f"{type(error).__name__}: {error}"[:_MESSAGE_LENGTH] + place
    return text.encode("utf-8", "backslashreplace").decode()
