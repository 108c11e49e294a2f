"""Oracles test themselves before a campaign's first measurement; what the machine loses is tried
again."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from alloop.campaigns.execution import LocalExecution
from alloop.canonical import canonical_json, sha256
from alloop.errors import RunError
from alloop.loop.measure.execution import MeasuringPool
from alloop.loop.measure.self_testing import SELF_TEST, self_test, self_test_id
from alloop.loop.measure.spool import Spool, attempt_id
from alloop.loop.record.events import SelfTested
from alloop.materials import Material
from alloop.oracles.base import FailureKind, Measurement


@dataclass(frozen=True)
class Examined:
    """An oracle whose first self-test takes its worker down, or which never passes it."""

    begun: Path
    is_good: bool = True
    name: str = "testing"

    def fingerprint(self) -> str:
        return sha256("testing")

    def measure(self, material: Material) -> Measurement:
        raise AssertionError("nothing is measured here")

    def self_test(self) -> Measurement:
        if not self.begun.exists():
            self.begun.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.is_good:
            return Measurement.succeeded(
                {"bulk_modulus": 187.0}, oracle=self.name, fingerprint=self.fingerprint()
            )
        return Measurement.failed(
            FailureKind.UNPHYSICAL, "a bad sign", oracle=self.name, fingerprint=self.fingerprint()
        )


def run_test(
    folder: Path, oracle: Examined, attempts: int, spool: Spool | None = None
) -> list[SelfTested]:
    spool = spool or Spool.temporary(folder / "spool")
    spool.make()
    pool = MeasuringPool([oracle], [60.0], LocalExecution(workers=1), spool)
    try:
        found = list(self_test(pool, spool, [0], attempts=[attempts], is_stopping=lambda: False))
    finally:
        pool.shutdown()
    assert not list(spool.folder.iterdir())
    return found


def test_a_self_test_whose_worker_was_lost_is_tried_again(tmp_path: Path) -> None:
    (event,) = run_test(tmp_path, Examined(tmp_path / "begun"), attempts=2)
    assert event.properties == {"bulk_modulus": 187.0}
    assert (event.tier, event.oracle) == (0, "testing")


def test_as_often_as_a_measurement_is(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"tier 0 \(testing\) failed its self-test"):
        run_test(tmp_path, Examined(tmp_path / "begun"), attempts=1)


def test_a_failed_self_test_stops_the_run_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "begun").touch()
    with pytest.raises(RunError, match="failed its self-test: a bad sign"):
        run_test(tmp_path, Examined(tmp_path / "begun", is_good=False), attempts=3)


def test_an_attempt_that_a_killed_session_has_finished_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "begun").touch()
    spool = Spool.temporary(tmp_path / "spool")
    spool.make()
    pool = MeasuringPool([Examined(tmp_path / "begun")], [60.0], LocalExecution(workers=1), spool)
    try:
        payload = canonical_json({SELF_TEST: True})
        pool.submit(attempt_id(self_test_id(0), 2), 0, payload).result(timeout=60)
    finally:
        pool.shutdown()
    fails_now = Examined(tmp_path / "begun", is_good=False)
    (event,) = run_test(tmp_path, fails_now, attempts=2, spool=spool)
    assert event.properties == {"bulk_modulus": 187.0}
