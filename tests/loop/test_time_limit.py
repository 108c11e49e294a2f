"""A limit on wall time pauses a campaign, and says what is left undone."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from alloop.loop import controller
from alloop.loop.commands.exit_codes import PAUSED
from alloop.loop.commands.registry import app
from alloop.loop.record.events import SessionClosed, Stage
from alloop.loop.record.verification import digest, verify
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.time_limit import TimeLeft, left_undone, promotion_reserve, time_left
from alloop.loop.steps import Measure, Pause, Propose, next_step
from alloop.materials import Material
from alloop.oracles.base import Measurement
from tests.loop.flaky import Flaky
from tests.loop.ledger import measured
from tests.loop.small_campaign import (
    PowerCut,
    ThreadPool,
    Watcher,
    entries_of,
    run_campaign,
    spec_of,
)
from tests.loop.told import FINGERPRINTS, SPEC, Told

RANDOM = {
    "acquisition": {"strategy": "random", "batch": 4},
    "augmentation": {"parents": 1, "iterations": 2, "swaps": 2},
    "cache": False,
    "execution": {"workers": 1},
}


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Slow(Flaky):
    """An oracle whose measurements take ten seconds of a clock that is not the wall's."""

    clock: Clock = field(default_factory=Clock)

    def measure(self, material: Material) -> Measurement:
        self.clock.now += 10.0
        return super().measure(material)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)
    monkeypatch.setattr(controller, "time", SimpleNamespace(monotonic=clock))
    return clock


def limited(limit: str | None) -> dict[str, Any]:
    budget = {"initial": 6, "rounds": 3, "measurements": [100], "wall_time": limit}
    return RANDOM | {"budget": budget}


def test_a_campaign_that_paused_decides_the_same_as_one_that_never_did(
    tmp_path: Path, clock: Clock
) -> None:
    oracle = Slow(tmp_path / "calls", clock=clock)
    whole = run_campaign(tmp_path / "whole", spec_of(**limited(None)), oracle)
    assert whole.closed == "all 3 rounds are done"

    run = tmp_path / "paused"
    state = run_campaign(run, spec_of(**limited("90 s")), oracle)
    assert state.closed is None
    assert state.paused is not None
    assert state.paused.startswith("the wall time of 90 s is over; left undone: ")
    assert "of 3 rounds" in state.paused
    assert 6 <= len(state.answers()) < len(whole.answers()) == 6 + 3 * 8
    state = run_campaign(run, spec_of(**limited("130 s")), oracle)
    assert state.paused is not None
    # The power fails when the next pause is written: it is written, and nothing after it.
    with pytest.raises(PowerCut):
        run_campaign(run, spec_of(**limited("170 s")), oracle, Watcher(fatal="session_closed"))
    state = run_campaign(run, spec_of(**limited("1 h")), oracle)
    assert state.closed == whole.closed
    assert digest(entries_of(run)) == digest(entries_of(tmp_path / "whole"))
    assert verify(run).ok


def test_a_paused_campaign_that_is_given_no_more_time_writes_nothing(
    tmp_path: Path, clock: Clock, run: Path
) -> None:
    oracle = Slow(tmp_path / "calls", clock=clock)
    # The clock of the ledger's entries stands for the session's time: none of it is left.
    run_campaign(run, spec_of(**limited("0.000001 s")), oracle)
    before = entries_of(run)
    assert isinstance(before[-1].event, SessionClosed)
    assert before[-1].event.is_pause
    again = run_campaign(run, None, oracle)
    assert again.paused is not None
    assert entries_of(run) == before


def test_what_promotion_needs_is_kept_by_what_its_measurements_took_so_far() -> None:
    tiers = [SPEC["tiers"][0], SPEC["tiers"][1] | {"timeout": 50.0, "promote": 3}]
    story = Told({"tiers": tiers, "execution": {"workers": 2}})
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0)})
    # Three promotions by two workers come in two turns of at most the declared 50 s.
    assert promotion_reserve(story.state, timedelta(seconds=400)) == 100.0
    assert promotion_reserve(story.state, timedelta(seconds=120)) == 60.0, "half is the search's"
    limit = timedelta(seconds=400)
    assert time_left(story.state, limit, 299.0) is TimeLeft.ENOUGH
    assert time_left(story.state, limit, 301.0) is TimeLeft.FOR_PROMOTION
    assert time_left(story.state, limit, 400.0) is TimeLeft.NONE
    assert time_left(story.state, None, 1e9) is TimeLeft.ENOUGH

    story.choose(0, Stage.PROMOTION, ["a:Ni8Fe8"], tier=1)
    story.events.append(
        measured(
            0,
            Stage.PROMOTION,
            story.state.evaluations[-1].candidate,
            {"bulk_modulus": 185.0, "formation_energy_per_atom": 0.0},
            fingerprint=FINGERPRINTS[1],
            tier=1,
            wall_seconds=8.0,
        )
    )
    # Two more at 8 s each, side by side.
    assert promotion_reserve(story.state, limit) == 8.0


def test_the_time_that_is_kept_goes_to_the_best_so_far_and_the_round_goes_on_later() -> None:
    search = {"parents": 1, "iterations": 2, "swaps": 1}
    story = Told({"augmentation": search})
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0)})
    story.measure(1, Stage.ACQUISITION, {"c:Ni7Fe9": (195.0, 0.0)})
    going_on = Propose(1, Stage.AUGMENTATION, iteration=1)
    assert next_step(story.state) == going_on
    promotion = next_step(story.state, TimeLeft.FOR_PROMOTION)
    assert promotion == Propose(1, Stage.PROMOTION, tier=1)
    assert left_undone(story.state) == "2 of 3 rounds, 2 of 2 promotions to tier 1 (lammps)"

    story.choose(1, Stage.PROMOTION, ["c:Ni7Fe9", "a:Ni8Fe8"], tier=1)
    measuring = next_step(story.state, TimeLeft.FOR_PROMOTION)
    assert isinstance(measuring, Measure)
    assert {e.tier for e in measuring.evaluations} == {1}
    assert next_step(story.state, TimeLeft.NONE) == Pause(
        "2 of 3 rounds, 2 measurements by tier 1 (lammps)"
    )
    story.answer(1, Stage.PROMOTION, "c:Ni7Fe9", 185.0, tier=1)
    story.answer(1, Stage.PROMOTION, "a:Ni8Fe8", 181.0, tier=1)
    assert next_step(story.state, TimeLeft.FOR_PROMOTION) == Pause("2 of 3 rounds")
    assert next_step(story.state) == going_on, "the local search of the round is not lost"


def test_time_does_not_keep_a_campaign_from_closing() -> None:
    story = Told(
        {"budget": SPEC["budget"] | {"rounds": 0}, "tiers": SPEC["tiers"][:1]}
        | {"budget": {"initial": 2, "rounds": 0, "measurements": [100]}}
    )
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0)})
    assert next_step(story.state, TimeLeft.NONE) == next_step(story.state)


def test_the_command_line_says_what_is_left_and_ends_with_its_own_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "Ni,Fe,overpotential\n" + "".join(f"0.{n},0.{10 - n},0.{n}\n" for n in range(1, 10))
    )
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "name: quick\n"
        "space: {kind: compositions, elements: [Ni, Fe]}\n"
        "properties: {overpotential: {unit: V}}\n"
        "objectives: [{property: overpotential, goal: minimise}]\n"
        "acquisition: {strategy: random, candidates: table, batch: 2}\n"
        "tiers: [{kind: table, file: table.csv, properties: {overpotential: overpotential}}]\n"
        "budget: {initial: 4, rounds: 2, measurements: [8]}\n"
        "cache: false\n"
    )
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)
    run, shell = tmp_path / "run", CliRunner()
    arguments = ["launch", str(spec), "--run", str(run), "--set", "budget.wall_time=0.000001 s"]
    paused = shell.invoke(app, arguments)
    assert paused.exit_code == PAUSED == 3
    assert "left undone: 2 rounds" in " ".join(paused.output.split())
    again = shell.invoke(app, ["resume", str(run)])
    assert again.exit_code == PAUSED
    done = shell.invoke(app, ["resume", str(run), "--set", "budget.wall_time=1 h"])
    assert done.exit_code == 0, done.output
    assert RunFolder.read(run).state.closed == "all 2 rounds are done"
    refused = shell.invoke(app, ["resume", str(run), "--set", "budget.rounds=9"])
    assert "another campaign" in str(refused.exception)
