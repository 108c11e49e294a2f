import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest
from pymatgen.core import Composition

from alloop.errors import RunError
from alloop.loop.measure import isolation, worker_process
from alloop.loop.measure.isolation import IsolatedOracle, pack
from alloop.loop.measure.spool import Spool
from alloop.oracles.base import FailureKind, Measurement, Oracle, Status
from tests.loop.misbehaving import Honest, Misbehaving, Unpacked, alloy
from tests.loop.spooled import read_spool, spool_in

BAD, GOOD = alloy(0.9), alloy(0.1)
Isolate = Callable[..., IsolatedOracle]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return spool_in(tmp_path / "spool")


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


@pytest.fixture
def isolate(spool: Spool) -> Iterator[Isolate]:
    """Makes isolated oracles; afterwards none of their processes is left."""
    made: list[IsolatedOracle] = []
    others = set(psutil.Process().children(recursive=True))

    def make(oracle: Oracle, timeout: float = 30.0) -> IsolatedOracle:
        made.append(IsolatedOracle(pack(oracle), timeout=timeout, spool=spool))
        return made[-1]

    yield make
    for isolated in made:
        isolated.close()
    assert set(psutil.Process().children(recursive=True)) <= others


def n_calls(calls: Path) -> int:
    return len(calls.read_text().splitlines()) if calls.exists() else 0


def wait_until(is_true: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def in_thread(work: Callable[[], Measurement]) -> Future[Measurement]:
    future: Future[Measurement] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except RunError as error:
            future.set_exception(error)

    threading.Thread(target=run).start()
    return future


def worker_of(isolated: IsolatedOracle) -> psutil.Process:
    assert isolated._worker is not None
    return psutil.Process(isolated._worker._process.pid)


def test_a_measurement_comes_back_as_the_oracle_gave_it(isolate: Isolate, calls: Path) -> None:
    oracle = Honest(calls)
    measurement = isolate(oracle).measure("e1", GOOD)
    assert measurement == oracle.answer(Composition({"Fe": 0.1, "Ni": 0.9}))


def test_one_process_serves_all_measurements(isolate: Isolate, calls: Path) -> None:
    isolated = isolate(Honest(calls))
    isolated.measure("e1", GOOD)
    first = worker_of(isolated)
    isolated.measure("e2", GOOD)
    assert worker_of(isolated) == first
    assert first.environ()["OMP_NUM_THREADS"] == os.environ.get("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("raises", FailureKind.ERROR, r"RuntimeError: lost the \\udcff plot \(misbehaving.py:"),
        ("leaves_politely", FailureKind.ERROR, "SystemExit: enough"),
        ("returns_nothing", FailureKind.ERROR, "returned NoneType, not a Measurement"),
        ("returns_nan", FailureKind.UNPHYSICAL, "a value is not finite.*nan"),
        ("returns_an_infinite_cost", FailureKind.UNPHYSICAL, "cannot be written down"),
        ("exits", FailureKind.WORKER_DIED, "exit code 3; it last said: ERROR: lost atoms"),
        ("kills_itself", FailureKind.WORKER_DIED, "SIGKILL"),
        ("crashes", FailureKind.WORKER_DIED, "SIGSEGV"),
        ("hangs", FailureKind.TIMEOUT, "longer than 1 s"),
        ("hangs_without_letting_go", FailureKind.TIMEOUT, "longer than 1 s"),
    ],
)
def test_misbehaving_costs_one_failed_measurement_and_nothing_else(
    isolate: Isolate, calls: Path, spool: Spool, how: str, kind: FailureKind, message: str
) -> None:
    isolated = isolate(Misbehaving(calls, how=how), timeout=1.0)
    bad = isolated.measure("bad", BAD)
    assert bad.status is Status.FAILED
    assert bad.failure is not None
    assert bad.failure.kind is kind
    bad.failure.message.encode()  # a file can hold it
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(bad.failure.message)
    assert (bad.oracle, bad.fingerprint) == ("honest", "honest-1")
    assert bad.cost.calls == 1
    assert 0 < bad.cost.wall_seconds < 5
    for evaluation in ("good", "fine"):
        assert isolated.measure(evaluation, GOOD).properties == {"bulk_modulus": 10.0}
    # The failure is as durable as a value.
    assert read_spool(spool)["bad"] == bad
    assert isolated.measure("bad", BAD) == bad


def test_an_answer_is_in_the_spool_before_it_is_given(
    isolate: Isolate, calls: Path, spool: Spool
) -> None:
    measurement = isolate(Honest(calls)).measure("e1", GOOD)
    assert read_spool(spool) == {"e1": measurement}


def test_an_evaluation_is_measured_once(isolate: Isolate, calls: Path) -> None:
    first = isolate(Honest(calls)).measure("e1", GOOD)
    assert isolate(Honest(calls)).measure("e1", GOOD) == first
    assert n_calls(calls) == 1


def test_two_workers_asked_at_the_same_time_measure_once(isolate: Isolate, calls: Path) -> None:
    first, second = isolate(Honest(calls, seconds=0.5)), isolate(Honest(calls, seconds=0.5))
    answer = in_thread(lambda: first.measure("e1", GOOD))
    assert second.measure("e1", GOOD) == answer.result()
    assert n_calls(calls) == 1


def test_what_the_ledger_has_is_forgotten(isolate: Isolate, calls: Path, spool: Spool) -> None:
    isolated = isolate(Honest(calls))
    for evaluation in ("e1", "e2"):
        isolated.measure(evaluation, GOOD)
    spool.path("e1").with_name("e1.json.tmp").write_text("half")
    spool.forget("e1")
    assert list(read_spool(spool)) == ["e2"]
    assert {path.name for path in spool.folder.iterdir()} == {"e2.json", "e2.lock"}
    spool.forget("e1")  # again: nothing happens


def test_who_waited_for_an_evaluation_that_is_recorded_meanwhile_does_not_measure_it(
    isolate: Isolate, calls: Path, spool: Spool
) -> None:
    first, second = isolate(Honest(calls, seconds=1.0)), isolate(Honest(calls))
    second.measure("warm", GOOD)
    measuring = in_thread(lambda: first.measure("e1", GOOD))
    wait_until(lambda: n_calls(calls) == 2)
    waiting = in_thread(lambda: second.measure("e1", GOOD))
    time.sleep(0.3)  # it waits for the lock
    worker_of(second).suspend()
    assert measuring.result().status is Status.OK
    spool.forget("e1")  # the ledger has it
    worker_of(second).resume()
    with pytest.raises(RunError, match="no longer wanted"):
        waiting.result()
    assert n_calls(calls) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b"null"])
def test_a_ruined_spool_file_is_measured_again(
    isolate: Isolate, calls: Path, spool: Spool, content: bytes
) -> None:
    spool.folder.mkdir()
    spool.path("e1").write_bytes(content)
    assert read_spool(spool) == {}
    assert isolate(Honest(calls)).measure("e1", GOOD).status is Status.OK
    assert n_calls(calls) == 1


def test_a_spool_that_does_not_exist_is_empty(spool: Spool) -> None:
    assert read_spool(spool) == {}


def test_a_spool_file_that_cannot_be_opened_is_reported(spool: Spool) -> None:
    spool.path("e1").mkdir(parents=True)
    with pytest.raises(RunError, match=r"e1.json: cannot be read"):
        read_spool(spool)


@pytest.mark.parametrize("name", ["", "../e1", "a/b", ".hidden", "x" * 200, "e1\n"])
def test_no_evaluation_leaves_the_spool(isolate: Isolate, calls: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is not an evaluation's id"):
        isolate(Honest(calls)).measure(name, GOOD)


def test_what_a_hanging_oracle_started_ends_with_it(isolate: Isolate, calls: Path) -> None:
    isolated = isolate(Misbehaving(calls, how="hangs_with_a_child"), timeout=1.0)
    isolated.measure("bad", BAD)
    child = int(calls.with_suffix(".child").read_text())
    wait_until(lambda: not is_running(child))


def test_ctrl_c_does_not_reach_a_measurement(isolate: Isolate, calls: Path) -> None:
    isolated = isolate(Honest(calls, seconds=0.5))
    answer = in_thread(lambda: isolated.measure("e1", GOOD))
    wait_until(lambda: n_calls(calls) == 1)
    process = worker_of(isolated)
    assert os.getpgid(process.pid) != os.getpgid(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
    assert answer.result().status is Status.OK


def test_a_worker_that_died_while_idle_is_replaced_unnoticed(isolate: Isolate, calls: Path) -> None:
    isolated = isolate(Honest(calls))
    isolated.measure("e1", GOOD)
    worker_of(isolated).kill()
    assert isolated.measure("e2", GOOD).status is Status.OK


def test_starting_is_no_part_of_the_time_to_measure(isolate: Isolate, calls: Path) -> None:
    # Importing pymatgen alone takes longer than this.
    assert isolate(Honest(calls), timeout=0.1).measure("e1", GOOD).status is Status.OK


def test_an_oracle_that_the_worker_cannot_rebuild_stops_the_campaign(isolate: Isolate) -> None:
    with pytest.raises(RunError, match=r"'unpacked' does not work.*No module named 'simulator'"):
        isolate(Unpacked()).measure("e1", GOOD)


def test_an_oracle_that_cannot_be_sent_is_refused_before_anything_starts() -> None:
    class Local(Honest):
        pass

    with pytest.raises(RunError, match=r"cannot be sent to a worker process.*Local"):
        pack(Local(Path("calls")))


def test_a_worker_that_always_dies_before_it_begins_stops_the_campaign(
    isolate: Isolate, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_BOOTSTRAP", "raise SystemExit('no such library')")
    with pytest.raises(RunError, match=r"exit code 1; it last said: no such library"):
        isolate(Honest(calls)).measure("e1", GOOD)


def test_a_worker_that_never_gets_ready_stops_the_campaign(
    isolate: Isolate, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_BOOTSTRAP", "import time; time.sleep(60)")
    monkeypatch.setattr(isolation, "START_LIMIT", 0.5)
    monkeypatch.setattr(isolation, "GRACE_PERIOD", 0.1)
    with pytest.raises(RunError, match=r"not ready after 0\.5 s"):
        isolate(Honest(calls)).measure("e1", GOOD)


def test_a_spool_that_cannot_be_written_stops_the_campaign(
    isolate: Isolate, calls: Path, spool: Spool
) -> None:
    isolated = isolate(Honest(calls))
    isolated.measure("e1", GOOD)
    (spool.folder / "e2.json.tmp").mkdir()  # in the way of the file
    with pytest.raises(RunError, match="cannot be written"):
        isolated.measure("e2", GOOD)
    assert isolated.measure("e3", GOOD).status is Status.OK


def test_closing_gives_up_what_is_being_measured_and_blames_nobody(
    isolate: Isolate, calls: Path, spool: Spool
) -> None:
    isolated = isolate(Honest(calls, seconds=60))
    answer = in_thread(lambda: isolated.measure("e1", GOOD))
    wait_until(lambda: n_calls(calls) == 1)
    isolated.close()
    with pytest.raises(RunError, match="no longer wanted"):
        answer.result(10)
    assert read_spool(spool) == {}
    with pytest.raises(RunError, match="no longer wanted"):
        isolated.measure("e2", GOOD)


CONTROLLER = """
import sys
from pathlib import Path
from alloop.loop.measure import isolation
from alloop.loop.measure.isolation import IsolatedOracle, pack
from tests.loop.misbehaving import Misbehaving, alloy
from tests.loop.spooled import spool_in
isolation.GRACE = 0.2
folder, how, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
oracle = Misbehaving(folder / "calls", seconds=seconds, how=how)
spool = spool_in(folder / "spool")
isolated = IsolatedOracle(pack(oracle), timeout=float(sys.argv[4]), spool=spool)
isolated.measure("e1", alloy(float(sys.argv[5])))
"""


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a controller in a process of its own, which measures e1."""
    started: list[subprocess.Popen[bytes]] = []

    def start(
        *, how: str = "raises", seconds: float = 0.0, timeout: float = 30.0, iron: float = 0.1
    ) -> subprocess.Popen[bytes]:
        arguments = [str(tmp_path), how, str(seconds), str(timeout), str(iron)]
        path = os.pathsep.join(sys.path)
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", CONTROLLER, *arguments],
                env={**os.environ, "PYTHONPATH": path},
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def kill_while_it_measures(process: subprocess.Popen[bytes], calls: Path) -> psutil.Process:
    """Kill a controller and return its worker, an orphan now."""
    wait_until(calls.exists)
    (worker,) = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    assert worker.is_running()
    return worker


def test_a_measurement_whose_controller_was_killed_is_finished_and_not_made_again(
    isolate: Isolate, calls: Path, spool: Spool, controller: Callable[..., subprocess.Popen[bytes]]
) -> None:
    orphan = kill_while_it_measures(controller(seconds=1.2), calls)
    # Resumed at once, while the orphan still measures.
    assert read_spool(spool) == {}
    measurement = isolate(Honest(calls)).measure("e1", GOOD)
    assert measurement.properties == {"bulk_modulus": 10.0}
    assert measurement.cost.wall_seconds == 1.2  # the orphan's answer
    assert n_calls(calls) == 1
    wait_until(lambda: not orphan.is_running())


def test_a_measurement_whose_controller_was_killed_is_in_the_spool_when_it_resumes_later(
    calls: Path, spool: Spool, controller: Callable[..., subprocess.Popen[bytes]]
) -> None:
    orphan = kill_while_it_measures(controller(seconds=0.7), calls)
    wait_until(lambda: not orphan.is_running())
    assert read_spool(spool)["e1"].properties == {"bulk_modulus": 10.0}
    assert n_calls(calls) == 1


def test_controllers_killed_one_after_another_still_measure_once(
    isolate: Isolate, calls: Path, controller: Callable[..., subprocess.Popen[bytes]]
) -> None:
    kill_while_it_measures(controller(seconds=2.5), calls)
    waiting = controller(seconds=3.0)
    wait_until(lambda: psutil.Process(waiting.pid).children())
    time.sleep(0.5)
    (bystander,) = psutil.Process(waiting.pid).children()
    waiting.kill()
    assert isolate(Honest(calls)).measure("e1", GOOD).status is Status.OK
    wait_until(lambda: not bystander.is_running())
    assert n_calls(calls) == 1


def test_closing_gives_up_waiting_for_an_orphan(
    isolate: Isolate, calls: Path, controller: Callable[..., subprocess.Popen[bytes]]
) -> None:
    orphan = kill_while_it_measures(controller(seconds=60.0), calls)
    isolated = isolate(Honest(calls))
    answer = in_thread(lambda: isolated.measure("e1", GOOD))
    wait_until(lambda: isolated._worker is not None)
    isolated.close()
    with pytest.raises(RunError, match="no longer wanted"):
        answer.result(10)
    orphan.kill()


def test_an_orphan_that_hangs_ends_itself(
    isolate: Isolate,
    calls: Path,
    spool: Spool,
    controller: Callable[..., subprocess.Popen[bytes]],
) -> None:
    process = controller(how="hangs_without_letting_go", timeout=1.0, iron=0.9)
    wait_until(lambda: spool.lock_path("e1").exists())
    (worker,) = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    wait_until(lambda: not worker.is_running(), seconds=10)


def test_a_spooled_measurement_is_plain_json(isolate: Isolate, calls: Path, spool: Spool) -> None:
    measurement = isolate(Honest(calls)).measure("e1", GOOD)
    _, content = spool.path("e1").read_text().splitlines()
    assert json.loads(content) == measurement.to_json()


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
