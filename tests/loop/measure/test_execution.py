import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from pathlib import Path

import psutil
import pytest

from alloop.campaigns.execution import LocalExecution
from alloop.errors import RunError
from alloop.loop.measure.execution import MeasuringPool
from alloop.loop.measure.spool import Spool
from alloop.oracles.base import FailureKind, Oracle, Status
from tests.loop.misbehaving import Honest, Misbehaving, Unpacked, alloy
from tests.loop.spooled import read_spool, spool_in

MakePool = Callable[..., MeasuringPool]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return spool_in(tmp_path / "run" / "spool")


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


@pytest.fixture
def make_pool(spool: Spool) -> Iterator[MakePool]:
    """Makes pools; afterwards none of their processes, ports or loops is left."""
    pools: list[MeasuringPool] = []
    children, ports = set(psutil.Process().children(recursive=True)), open_ports()

    def make(*oracles: Oracle, timeout: float = 30.0, workers: int = 2) -> MeasuringPool:
        pools.append(
            MeasuringPool(oracles, [timeout] * len(oracles), LocalExecution(workers=workers), spool)
        )
        return pools[-1]

    yield make
    for pool in pools:
        pool.shutdown()
    assert set(psutil.Process().children(recursive=True)) <= children
    assert open_ports() <= ports
    assert not [thread for thread in threading.enumerate() if "loop" in thread.name.lower()]


def open_ports() -> set[tuple[str, int]]:
    """Return address and port of this process's sockets; an MPI loaded by other tests has some."""
    return {tuple(connection.laddr) for connection in psutil.Process().net_connections()}


def lines(calls: Path) -> list[str]:
    return calls.read_text().split()


def test_every_material_gets_its_own_answer(make_pool: MakePool, calls: Path) -> None:
    pool = make_pool(Honest(calls))
    shares = [i / 20 for i in range(20)]
    futures = [pool.submit(f"e{i}", 0, alloy(share)) for i, share in enumerate(shares)]
    values = [future.result().properties["bulk_modulus"] for future in futures]
    assert values == pytest.approx([100 * share for share in shares])
    assert sorted(lines(calls)) == sorted(f"{share:.4f}" for share in shares)


def test_each_tier_has_its_oracle(make_pool: MakePool, calls: Path) -> None:
    pool = make_pool(Honest(calls, name="cheap"), Honest(calls, name="dear"))
    names = [pool.submit(f"e{tier}", tier, alloy(0.2)).result().oracle for tier in (0, 1)]
    assert names == ["cheap", "dear"]


def test_two_workers_measure_at_the_same_time(make_pool: MakePool, calls: Path) -> None:
    pool = make_pool(Honest(calls, seconds=0.5))
    wait([pool.submit(f"warm{i}", 0, alloy(0.1)) for i in range(2)])
    began = time.monotonic()
    wait([pool.submit(f"e{i}", 0, alloy(0.2)) for i in range(4)])
    assert time.monotonic() - began < 4 * 0.5


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("raises", FailureKind.ERROR),
        ("crashes", FailureKind.WORKER_DIED),
        ("hangs", FailureKind.TIMEOUT),
    ],
)
def test_a_bad_candidate_costs_one_failed_measurement_and_nothing_else(
    make_pool: MakePool, calls: Path, how: str, kind: FailureKind
) -> None:
    pool = make_pool(Misbehaving(calls, how=how), timeout=1.0)
    shares = [0.1, 0.9, 0.2, 0.3, 0.4]
    futures = [pool.submit(f"e{i}", 0, alloy(share)) for i, share in enumerate(shares)]
    answers = [future.result() for future in futures]
    assert [answer.status is Status.OK for answer in answers] == [True, False, True, True, True]
    failure = answers[1].failure
    assert failure is not None
    assert failure.kind is kind


def test_an_evaluation_submitted_twice_is_measured_once(make_pool: MakePool, calls: Path) -> None:
    pool = make_pool(Honest(calls, seconds=0.3))
    first, second = (pool.submit("e1", 0, alloy(0.1)) for _ in range(2))
    assert first.result() == second.result()
    assert len(lines(calls)) == 1


def test_an_answer_stays_in_the_spool_until_it_is_forgotten(
    make_pool: MakePool, calls: Path, spool: Spool
) -> None:
    pool = make_pool(Honest(calls))
    answer = pool.submit("e1", 0, alloy(0.1)).result()
    assert read_spool(spool) == {"e1": answer}
    spool.forget("e1")
    assert list(spool.folder.iterdir()) == []


def test_an_oracle_that_cannot_work_is_an_error_of_the_campaign(make_pool: MakePool) -> None:
    with pytest.raises(RunError, match="No module named 'simulator'"):
        make_pool(Unpacked()).submit("e1", 0, alloy(0.1)).result()


def test_an_oracle_that_cannot_be_sent_is_refused_at_once(make_pool: MakePool) -> None:
    class Local(Honest):
        pass

    with pytest.raises(RunError, match="cannot be sent"):
        make_pool(Local(Path("calls")))


def test_shutting_down_gives_up_what_runs_and_cancels_what_waits(
    make_pool: MakePool, calls: Path, spool: Spool
) -> None:
    pool = make_pool(Honest(calls, seconds=60))
    futures = [pool.submit(f"e{i}", 0, alloy(0.1)) for i in range(6)]
    deadline = time.monotonic() + 20
    while not (calls.exists() and len(lines(calls)) == 2):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    began = time.monotonic()
    pool.shutdown()
    assert time.monotonic() - began < 5
    assert all(future.done() for future in futures)
    assert read_spool(spool) == {}  # no candidate is blamed
    pool.shutdown()  # again: nothing happens


def test_nothing_is_left_and_nothing_is_printed(
    make_pool: MakePool,
    calls: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    ports = open_ports()
    with make_pool(Honest(calls)) as pool:
        wait([pool.submit(f"e{i}", 0, alloy(0.1)) for i in range(4)])
        opened = open_ports() - ports
        assert {ip for ip, _ in opened} <= {"127.0.0.1"}
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert list(Path.cwd().iterdir()) == []
    assert capfd.readouterr() == ("", "")


CONTROLLER = """
import sys
from pathlib import Path
from alloop.campaigns.execution import LocalExecution
from alloop.loop.measure.execution import MeasuringPool
from tests.loop.misbehaving import Honest, alloy
from tests.loop.spooled import spool_in
folder = Path(sys.argv[1])
oracle = Honest(folder / "calls", seconds=0.2)
spool = spool_in(folder / "run" / "spool")
pool = MeasuringPool([oracle], [30.0], LocalExecution(workers=2), spool)
futures = [pool.submit(f"e{i}", 0, alloy(i / 20)) for i in range(10)]
[future.result() for future in futures]
"""


def test_a_controller_killed_again_and_again_pays_for_each_candidate_once(
    make_pool: MakePool, calls: Path, spool: Spool, tmp_path: Path
) -> None:
    path = os.pathsep.join(sys.path)
    for n_begun in (1, 5):
        controller = subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": path},
        )
        deadline = time.monotonic() + 30
        while not (calls.exists() and len(lines(calls)) >= n_begun):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        controller.kill()
        controller.wait()
    pool = make_pool(Honest(calls))
    futures = [pool.submit(f"e{i}", 0, alloy(i / 20)) for i in range(10)]
    assert all(future.result().status is Status.OK for future in futures)
    assert sorted(lines(calls)) == [f"{i / 20:.4f}" for i in range(10)]
