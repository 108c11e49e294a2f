"""Answers too large, memory without end, programs that stay, starts that take long: one failed
measurement each, or none, and the campaign goes on."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from alloop.errors import RunError
from alloop.loop.measure import isolation, worker_process
from alloop.loop.measure.isolation import IsolatedOracle, pack
from alloop.loop.measure.worker_limits import MARK, end_orphans, memory_limit
from alloop.materials import Material
from alloop.oracles.base import Cost, FailureKind, Measurement, Status
from tests.loop.misbehaving import Honest, alloy, iron_share
from tests.loop.spooled import spool_in

BAD, GOOD = alloy(0.9), alloy(0.1)


@dataclass(frozen=True)
class Excessive(Honest):
    """Honest, but for materials with more than half iron."""

    how: str = ""

    def measure(self, material: Material) -> Any:
        if iron_share(material) > 0.5:
            return getattr(self, self.how)(self.answer(material))
        return super().measure(material)

    def huge(self, answer: Measurement) -> Measurement:
        return replace(answer, document={"log": "x" * 200_000_000})

    def deep(self, answer: Measurement) -> Measurement:
        document: Mapping[str, Any] = {}
        for _ in range(100_000):
            document = {"inner": document}
        return replace(answer, document=document)

    def endless(self, answer: Measurement) -> Measurement:
        document: dict[str, Any] = {}
        document["again"] = document
        return replace(answer, document=document)

    def swelling(self, answer: Measurement) -> Measurement:
        rows: list[Any] = ["leaf"]
        for _ in range(40):
            rows = [rows, rows, rows, rows]
        return replace(answer, document={"rows": rows})

    def no_json(self, answer: Measurement) -> Measurement:
        return replace(answer, document={"rows": {1, 2}})

    def no_names(self, answer: Measurement) -> Measurement:
        return replace(answer, document={1: 1, "a": 2})

    def another_s(self, answer: Measurement) -> Measurement:
        return replace(answer, fingerprint="somebody else's")

    def negative_cost(self, answer: Measurement) -> Measurement:
        return replace(answer, cost=Cost(calls=1, core_hours=-1000.0))

    def greedy(self, answer: Measurement) -> Measurement:
        kept = []
        while True:
            kept.append(bytearray(os.urandom(1)) * 50_000_000)

    def leaves_a_program(self, answer: Measurement) -> Measurement:
        # In a session of its own, and its parent ends at once: nothing leads to it any more.
        script = "import os, sys; os.fork() and os._exit(0); os.execlp('sleep', 'sleep', '3600')"
        subprocess.run([sys.executable, "-c", script], start_new_session=True, check=True)
        return answer

    def leaves_a_program_and_dies(self, answer: Measurement) -> None:
        self.leaves_a_program(answer)
        os._exit(3)


@pytest.fixture
def isolate(tmp_path: Path) -> Iterator[Any]:
    made: list[IsolatedOracle] = []

    def make(how: str, timeout: float = 30.0) -> IsolatedOracle:
        oracle = pack(Excessive(tmp_path / "calls", how=how))
        made.append(IsolatedOracle(oracle, timeout=timeout, spool=spool_in(tmp_path / "spool")))
        return made[-1]

    yield make
    for isolated in made:
        isolated.close()


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("huge", FailureKind.ERROR, "has 200,000,.* bytes; more than 32,000,000 are not taken"),
        ("deep", FailureKind.ERROR, "nested more than 100 deep"),
        ("endless", FailureKind.ERROR, "nested more than 100 deep, or endless"),
        ("swelling", FailureKind.ERROR, "endless"),
        ("no_json", FailureKind.ERROR, "set is not JSON serializable"),
        ("no_names", FailureKind.ERROR, "not supported between instances"),
        ("another_s", FailureKind.ERROR, "fingerprint is not that of the oracle"),
        ("negative_cost", FailureKind.UNPHYSICAL, "a cost is not finite, or negative: core_hours"),
    ],
)
def test_an_answer_that_no_ledger_could_hold_is_a_failed_measurement(
    isolate: Any, how: str, kind: FailureKind, message: str
) -> None:
    isolated = isolate(how)
    bad = isolated.measure("bad", BAD)
    assert bad.failure is not None
    assert bad.failure.kind is kind
    with pytest.raises(AssertionError, match=f"cannot be written down.*{message}"):
        raise AssertionError(bad.failure.message)
    assert isolated.measure("good", GOOD).status is Status.OK


def test_memory_without_end_is_refused_by_the_kernel(
    isolate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "memory_limit", lambda: 1_500_000_000)
    isolated = isolate("greedy")
    bad = isolated.measure("bad", BAD)
    assert bad.failure is not None
    assert bad.failure.kind is FailureKind.ERROR
    assert "MemoryError" in bad.failure.message
    assert isolated.measure("good", GOOD).status is Status.OK


def test_a_worker_is_bound_to_less_than_the_machine_has(isolate: Any) -> None:
    isolated = isolate("huge")
    isolated.measure("good", GOOD)
    worker = psutil.Process(isolated._worker.pid)
    soft, _ = worker.rlimit(psutil.RLIMIT_DATA)
    assert soft == memory_limit() < psutil.virtual_memory().total
    assert int(Path(f"/proc/{worker.pid}/oom_score_adj").read_text()) == 500


def sleeping() -> list[psutil.Process]:
    """Return the programs that some worker of these tests left behind."""
    token = spool_in(Path()).token
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK, "").startswith(token):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until_none_sleeps() -> None:
    deadline = time.monotonic() + 20
    while sleeping():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["leaves_a_program", "leaves_a_program_and_dies"])
def test_what_a_worker_started_ends_with_it_wherever_it_hides(isolate: Any, how: str) -> None:
    isolated = isolate(how)
    bad = isolated.measure("bad", BAD)
    assert (bad.failure is None) == (how == "leaves_a_program")
    isolated.close()
    wait_until_none_sleeps()


def test_a_worker_that_leaves_by_itself_takes_all_with_it(isolate: Any) -> None:
    isolated = isolate("leaves_a_program")
    isolated.measure("bad", BAD)
    assert len(sleeping()) == 1
    isolated._worker.leave()  # as if the controller had been killed: nobody ends it
    wait_until_none_sleeps()


def test_a_new_pool_ends_what_workers_left_that_are_gone() -> None:
    token = spool_in(Path()).token
    orphan = subprocess.Popen(["sleep", "3600"], env={MARK: f"{token}:999999999:1.0"})
    other = subprocess.Popen(["sleep", "3600"], env={MARK: "another:999999999:1.0"})
    mine = psutil.Process()
    kept = {MARK: f"{token}:{mine.pid}:{mine.create_time()}"}
    working = subprocess.Popen(["sleep", "3600"], env=kept)
    try:
        time.sleep(0.2)  # they become what they are to be
        assert end_orphans(token) == 1
        assert not psutil.pid_exists(orphan.pid)
        assert (other.poll(), working.poll()) == (None, None)
    finally:
        for process in (orphan, other, working):
            process.kill()
            process.wait()


def test_a_worker_that_takes_long_to_start_but_gets_on_is_waited_for(
    isolate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = "import time; t = time.process_time()\nwhile time.process_time() - t < 1.5: pass\n"
    monkeypatch.setattr(worker_process, "_BOOTSTRAP", busy + worker_process._BOOTSTRAP)
    monkeypatch.setattr(isolation, "START_LIMIT", 0.3)
    monkeypatch.setattr(isolation, "_START_LIMITS", 1000)
    assert isolate("huge").measure("good", GOOD).status is Status.OK


def test_a_worker_that_is_busy_for_ever_is_given_up(
    isolate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_BOOTSTRAP", "while True: pass")
    monkeypatch.setattr(isolation, "START_LIMIT", 0.2)
    monkeypatch.setattr(isolation, "GRACE_PERIOD", 0.1)
    with pytest.raises(RunError, match=r"not ready after 3 s"):
        isolate("huge").measure("good", GOOD)
