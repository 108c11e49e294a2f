import os
import subprocess
import sys
from pathlib import Path

import pytest

from alloop.loop.record.events import AttemptFailed, Event, Measured, SelfTested, Stage
from alloop.oracles.base import FailureKind, Status
from benchmarks.trust.kills.accounts import account
from benchmarks.trust.kills.measure import WITNESS

TASK = {"candidate": "a" * 64, "round": 0, "stage": Stage.INITIAL, "tier": 0, "oracle": "o"}


def measured(evaluation: str) -> Measured:
    return Measured(evaluation=evaluation, status=Status.OK, properties={}, fingerprint="f", **TASK)


def failed(evaluation: str, attempt: int) -> AttemptFailed:
    return AttemptFailed(
        evaluation=evaluation,
        attempt=attempt,
        failure_kind=FailureKind.WORKER_DIED,
        failure_message="it was ended by SIGKILL",
        **TASK,
    )


def self_tested() -> SelfTested:
    return SelfTested(tier=0, oracle="o", fingerprint="f", properties={}, seconds=1.0, facts={})


@pytest.mark.parametrize(
    ("notes", "events", "lost", "twice"),
    [
        (["begun x 1 0", "written x 1 1"], [measured("x")], 0, 0),
        (
            ["begun x 1 0", "begun x-2 2 1", "written x-2 2 2"],
            [failed("x", 1), measured("x")],
            0,
            0,
        ),
        (["written selftest0 1 0", "written x 1 1"], [self_tested(), measured("x")], 0, 0),
        (["written x 1 0", "written y 1 1"], [measured("x")], 1, 0),
        # Finished, and recorded as if its worker had died before.
        (["written x 1 0", "written x-2 2 1"], [failed("x", 1), measured("x")], 1, 1),
        (["written x 1 0", "written x 2 1"], [measured("x")], 0, 1),
        (["written x 1 0"], [measured("x"), measured("x")], 0, 1),
        (["written selftest0 1 0", "written selftest0 2 1"], [self_tested()], 0, 1),
    ],
)
def test_what_was_finished_is_in_the_ledger_once(
    notes: list[str], events: list[Event], lost: int, twice: int
) -> None:
    found = account(notes, events)
    assert (found.lost, found.measured_twice) == (lost, twice)


def test_the_witness_notes_what_a_worker_writes_into_the_spool_and_nothing_else(
    tmp_path: Path,
) -> None:
    notes, spool = tmp_path / "notes", tmp_path / "spool"
    program = (
        "import sys; from pathlib import Path; from alloop.loop.measure.spool import Spool; "
        f"spool = Spool.temporary(Path({str(spool)!r})); spool.make(); "
        "spool.write('early', 'f', b'{}'); "  # by a process that is no worker
        "import alloop.loop.measure.worker as worker; "
        "worker._hold(spool.lock_path('e-2')).__enter__(); "
        "spool.write('e-2', 'f', b'{}'); "
        f"Path({str(tmp_path / 'other.json')!r}).touch()"
    )
    variables = os.environ | {"PYTHONPATH": str(WITNESS), "ALLOOP_WITNESS": str(notes)}
    subprocess.run([sys.executable, "-c", program], env=variables, check=True)
    assert [line.split()[:2] for line in notes.read_text().splitlines()] == [
        ["begun", "e-2"],
        ["written", "e-2"],
    ]
