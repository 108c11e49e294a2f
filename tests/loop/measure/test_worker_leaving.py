"""What was recorded and cleared from the spool meanwhile is not measured again: not by a worker
that waited for it, and not by one whose controller is dead."""

import itertools
import json
import os
import pickle
import threading
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from alloop.loop.measure import worker
from alloop.loop.measure.spool import Spool
from alloop.loop.measure.worker_process import Reply
from alloop.oracles.base import Measurement
from tests.loop.flaky import Flaky, calls_of

FINGERPRINT = "f"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    found = Spool.temporary(tmp_path / "spool")
    found.make()
    return found


class ClearedMeanwhile(Spool):
    """A spool that another controller clears in the moment in which it is looked into."""

    def load(self, evaluation: str, fingerprint: str) -> Measurement | None:
        self.forget(evaluation)
        return super().load(evaluation, fingerprint)


def test_what_nobody_has_measured_is_missing(spool: Spool) -> None:
    with worker._hold(spool.lock_path("e")) as is_held:
        assert worker._is_missing(spool, "e", FINGERPRINT, is_held)


def test_what_was_cleared_before_it_was_held_is_not_missing(spool: Spool) -> None:
    with worker._hold(spool.lock_path("e")) as is_held:
        spool.forget("e")
        assert not worker._is_missing(spool, "e", FINGERPRINT, is_held)


def test_what_is_cleared_while_it_is_looked_for_is_not_missing(spool: Spool) -> None:
    cleared = ClearedMeanwhile(spool.folder, spool.key)
    with worker._hold(spool.lock_path("e")) as is_held:
        spool.write("e", FINGERPRINT, b"{}")
        assert not worker._is_missing(cleared, "e", FINGERPRINT, is_held)


def test_a_lock_that_another_worker_made_anew_is_another_lock(spool: Spool) -> None:
    with worker._hold(spool.lock_path("e")) as is_held:
        spool.forget("e")
        spool.lock_path("e").touch()
        assert not is_held()


@pytest.mark.parametrize("is_alive", [True, False])
def test_nothing_is_begun_for_a_dead_controller(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_alive: bool
) -> None:
    for name in ("bound_memory", "adopt_orphans"):
        monkeypatch.setattr(worker, name, lambda _: None)
    monkeypatch.setattr(worker.faulthandler, "dump_traceback_later", lambda *a, **k: None)
    parents = itertools.chain([7], itertools.repeat(7 if is_alive else 1))
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    ours, theirs = Pipe()
    settings = {
        "spool": str(spool.folder),
        "key": spool.key.hex(),
        "token": spool.token,
        "limit": 60.0,
        "memory": 1,
    }
    material = '{"kind":"composition","fractions":{"Ni":1.0}}'
    task = {"evaluation": "e", "material": material}
    calls = tmp_path / "calls"
    for content in (
        json.dumps(settings).encode(),
        pickle.dumps(Flaky(calls)),
        json.dumps(task).encode(),
    ):
        ours.send_bytes(content)
    serving = threading.Thread(target=serve, args=(theirs,))
    serving.start()
    assert ours.recv_bytes() == Reply.READY
    if is_alive:
        assert ours.recv_bytes() == Reply.BEGUN
        assert ours.recv_bytes() == Reply.DONE
        ours.close()
    serving.join(timeout=60)
    assert not serving.is_alive()
    assert len(calls_of(calls)) == int(is_alive)
    assert spool.lock_path("e").exists() == is_alive


def serve(connection: Connection) -> None:
    with suppress(EOFError):
        worker._serve(connection)
