"""A campaign that was killed at any moment makes the decisions of one that never was."""

from collections import Counter
from pathlib import Path

from alloop.loop.record.events import Stage
from alloop.loop.record.verification import digest, verify
from alloop.loop.replay import replay
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import FailureKind
from tests.end_to_end.controllers import kill_repeatedly, start
from tests.end_to_end.counting_oracle import is_deadly
from tests.end_to_end.drive import drive

KILLS = 3


def finish(run: Path, calls: Path, *, deadly: bool = False) -> RunFolder:
    """Run to the end without interruption."""
    start(drive, run, calls, deadly).finish()
    return RunFolder.read(run)


def test_killed_and_resumed_it_decides_the_same_and_pays_once(tmp_path: Path) -> None:
    expected = finish(tmp_path / "whole", tmp_path / "whole-calls")

    run, calls = tmp_path / "run", tmp_path / "calls"
    kills = kill_repeatedly(drive, run, calls, times=KILLS, longest=1.2, at_least=2)
    got = finish(run, calls)

    assert digest(got.entries) == digest(expected.entries)
    assert len(got.state.answers(tier=1)) == 10  # five after each of two rounds
    for n in (1, 2):
        assert replay(got.entries, got.store, n).agrees
    aims = [p.notes["aim"] for p in got.state.proposals if p.stage is Stage.ACQUISITION]
    assert aims == ["first-tier", "top-tier"]
    assert got.state.n_sessions == kills + 1
    assert verify(run, head=got.head).ok
    for tier, file in enumerate((calls, calls.with_suffix(".dear"))):
        asked = {e.candidate for e in got.state.evaluations if e.tier == tier}
        counts = Counter(file.read_text().split())
        assert set(counts) == asked
        assert set(counts.values()) == {1}
    assert not list((run / "spool").glob("*.json"))


def test_a_candidate_that_kills_its_worker_costs_one_failed_measurement(tmp_path: Path) -> None:
    state = finish(tmp_path / "run", tmp_path / "calls", deadly=True).state
    asked = [e.candidate for e in state.evaluations if e.tier == 0]
    failed = [m for m in state.measured.values() if m.failure_kind is not None]
    deadly = [candidate for candidate in asked if is_deadly(candidate)]
    assert deadly, "the seed leads to no deadly candidate; choose another"
    assert sorted(m.candidate for m in failed) == sorted(deadly)
    assert {m.failure_kind for m in failed} == {FailureKind.WORKER_DIED}
    assert len(state.answers()) == len(asked) - len(deadly)
    assert state.closed is not None
