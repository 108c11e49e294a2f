"""What the machine failed to measure is tried again; what the material failed is not."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from alloop.errors import RunError, SpecError
from alloop.loop import controller
from alloop.loop.choose.screening import Seen, screen
from alloop.loop.commands.printing.status_table import failed_line
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import AttemptFailed, SessionOpened
from alloop.loop.record.verification import digest, verify
from alloop.loop.report.tables import failures_table
from alloop.materials import material_id
from alloop.oracles.base import INFEASIBLE, RETRYABLE, FailureKind
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from tests.loop.flaky import Flaky, calls_of, moments_of
from tests.loop.small_campaign import (
    Mortal,
    PowerCut,
    ThreadPool,
    Watcher,
    entries_of,
    run_campaign,
    spec_of,
)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let controllers measure in threads: what is tested here does not need processes."""
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)


def test_a_lost_worker_costs_an_attempt_and_no_decision(
    run: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle = Flaky(calls, every=3, deaths=1)
    watcher = Watcher()
    state = run_campaign(run, spec_of(), oracle, watcher)
    bad = [e.candidate for e in state.evaluations if oracle.is_bad(e.candidate)]
    assert bad, "the seed leads to no bad candidate; choose another"
    assert len(state.answers()) == 6
    attempts = [event for event in watcher.events if isinstance(event, AttemptFailed)]
    assert sorted(a.candidate for a in attempts) == sorted(bad)
    assert {(a.attempt, a.failure_kind) for a in attempts} == {(1, FailureKind.WORKER_DIED)}
    assert Counter(calls_of(calls)) == Counter([e.candidate for e in state.evaluations] + bad)
    assert state.cost(0).calls == 6 + len(bad)
    assert failed_line(state, 0) == f"0 failed, {len(bad)} tried again"
    assert verify(run).ok
    assert not list((run / "spool").iterdir())

    calm = run.with_name("calm")
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)
    run_campaign(calm, spec_of(), Mortal(calls.with_name("other")))
    assert digest(entries_of(run)) == digest(entries_of(calm))


def test_after_the_last_attempt_it_is_missing_and_not_infeasible(
    threads: None, run: Path, calls: Path
) -> None:
    oracle = Mortal(calls, deaths=99)
    state = run_campaign(run, spec_of(attempts=3), oracle)
    bad = {e.candidate for e in state.evaluations if oracle.is_bad(e.candidate)}
    assert {m.candidate for m in state.measured.values() if m.failure_kind} == bad
    assert not state.infeasible
    assert {count for id, count in Counter(calls_of(calls)).items() if id in bad} == {3}
    assert failed_line(state, 0) == (
        f"{len(bad)} failed ({len(bad)} missing), {2 * len(bad)} tried again"
    )
    table = failures_table(state)
    assert table is not None
    assert {row[-2:] for row in table.rows} == {("3", "missing")}


@pytest.mark.parametrize("kind", sorted(set(FailureKind) - RETRYABLE))
def test_what_the_material_brings_about_is_not_tried_again(
    threads: None, run: Path, calls: Path, kind: FailureKind
) -> None:
    oracle = Mortal(calls, kind=kind)
    state = run_campaign(run, spec_of(attempts=5), oracle)
    assert not state.attempts
    assert len(calls_of(calls)) == 6
    bad = {e.candidate for e in state.evaluations if oracle.is_bad(e.candidate)}
    assert set(state.infeasible) == (bad if kind in INFEASIBLE else set())


def test_no_kind_of_failure_is_both_the_material_s_and_the_machine_s() -> None:
    assert not RETRYABLE & INFEASIBLE
    assert set(FailureKind) - RETRYABLE - INFEASIBLE == {FailureKind.ERROR, FailureKind.CANCELLED}


def test_what_is_equivalent_to_something_infeasible_is_not_proposed(
    threads: None, run: Path, calls: Path
) -> None:
    state = run_campaign(run, spec_of(), Mortal(calls, kind=FailureKind.LOST_ATOMS))
    id = next(iter(state.infeasible))
    material = ArtifactStore(run / "artifacts").get_material(id)
    moved = material.copy()
    moved.translate_sites(range(len(moved)), [0.5, 0.5, 0.0])
    assert material_id(moved) != id
    seen = Seen()
    seen.follow(state, ArtifactStore(run / "artifacts"))
    rejection = screen(moved, state.spec.space, seen)
    assert rejection is not None
    assert rejection.rule == "infeasible"
    assert f"{id[:10]}, which cannot be measured (lost_atoms: by nature)" in rejection.reason


@pytest.mark.parametrize("fatal", ["attempt_failed", "measured"])
def test_resuming_goes_on_counting(threads: None, run: Path, calls: Path, fatal: str) -> None:
    oracle = Mortal(calls, every=1, deaths=2)
    sessions = 0
    while True:
        try:
            state = run_campaign(run, spec_of(attempts=3), oracle, Watcher(fatal))
            break
        except PowerCut:
            sessions += 1
    assert sessions >= 6
    assert len(state.answers()) == 6
    # Two workers were at work at each power cut; what was begun is finished or given up.
    attempts = [e.event for e in entries_of(run) if isinstance(e.event, AttemptFailed)]
    assert Counter((a.candidate, a.attempt) for a in attempts) == Counter(
        (e.candidate, attempt) for e in state.evaluations for attempt in (1, 2)
    )
    assert set(Counter(calls_of(calls)).values()) == {3}


def test_a_tier_measures_no_more_at_once_than_it_may(threads: None, run: Path, calls: Path) -> None:
    spec = spec_of(workers=1, execution={"workers": 3})
    run_campaign(run, spec, Mortal(calls, seconds=0.1))
    moments = sorted(moments_of(calls))
    assert len(moments) == 6
    for (_, ended), (began, _) in pairwise(moments):
        assert began >= ended


def test_how_it_runs_may_change_and_is_written_down(threads: None, run: Path, calls: Path) -> None:
    oracle = Mortal(calls)
    with pytest.raises(PowerCut):
        run_campaign(run, spec_of(), oracle, Watcher("measured"))
    changed = spec_of(attempts=4, timeout=77.0, workers=1, execution={"workers": 1})
    state = run_campaign(run, changed, oracle)
    assert state.spec == changed
    sessions = [e.event for e in entries_of(run) if isinstance(e.event, SessionOpened)]
    assert sessions[0].scheduling is None
    assert sessions[1].scheduling == changed.scheduling()
    with pytest.raises(RunError, match=r"budget\.initial: 6 there, 7 asked for"):
        run_campaign(
            run, spec_of(budget={"initial": 7, "rounds": 0, "measurements": [100]}), oracle
        )


def test_scheduling_is_no_part_of_a_fingerprint() -> None:
    plain = LammpsOptions(potential="NiFeCr-Wu2017")
    other = plain.model_copy(update={"timeout": 7.0, "attempts": 5, "workers": 1})
    assert LammpsOracle(plain).fingerprint() == LammpsOracle(other).fingerprint()


@pytest.mark.parametrize(
    ("key", "value"), [("attempts", 0), ("attempts", 11), ("workers", 0), ("workers", "all")]
)
def test_bad_settings_are_named(key: str, value: object) -> None:
    with pytest.raises(SpecError, match=rf"tiers\.0\.{key}: .*{value}"):
        spec_of(**{key: value})
