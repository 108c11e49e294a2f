"""Rounds that bring nothing: everything fails, or nothing is left to measure."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alloop.loop import controller
from alloop.loop.record.events import ModelFitted, Stage
from alloop.loop.replay import replay
from alloop.loop.run_folder import RunFolder
from alloop.materials import Material
from alloop.oracles.base import FailureKind, Measurement
from tests.loop.flaky import Flaky
from tests.loop.small_campaign import ThreadPool, run_campaign, spec_of

LEARNING: dict[str, Any] = {
    "model": {"width": 8, "depth": 1, "epochs": 1, "unlabelled": 16},
    "acquisition": {"batch": 4, "pool": 8},
    "augmentation": {"parents": 1, "iterations": 1, "swaps": 2},
    "execution": {"workers": 1},
    "cache": False,
}


@dataclass(frozen=True)
class Striking(Flaky):
    """An oracle that fails for good between two of its calls."""

    first: int = 0
    last: int = 0
    count: list[int] = field(default_factory=lambda: [0])

    def measure(self, material: Material) -> Measurement:
        self.count[0] += 1
        if self.first <= self.count[0] <= self.last:
            return Measurement.failed(
                FailureKind.NOT_CONVERGED,
                "out of order",
                oracle=self.name,
                fingerprint=self.fingerprint(),
            )
        return super().measure(material)


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)


def budget(**changes: Any) -> dict[str, Any]:
    return {"budget": {"initial": 6, "rounds": 3, "measurements": [100]} | changes}


def test_after_a_round_in_which_everything_failed_the_search_goes_on(
    tmp_path: Path, run: Path
) -> None:
    # Round 2 is measured by the 13th to the 16th call: six at first, then four and two a round.
    oracle = Striking(tmp_path / "calls", every=10**9, first=13, last=16)
    state = run_campaign(run, spec_of(**LEARNING, **budget()), oracle)
    assert state.closed == "all 3 rounds are done"
    by_round = {n: [m.round for m in state.answers()].count(n) for n in range(4)}
    assert by_round == {0: 6, 1: 6, 2: 0, 3: 6}
    assert len(state.infeasible) == 4
    folder = RunFolder.read(run)
    fits = [e.event for e in folder.entries if isinstance(e.event, ModelFitted)]
    assert [fit.n_labelled for fit in fits] == [6, 12, 12]
    assert replay(folder.entries, folder.store, 3).agrees


def test_one_label_is_too_few_to_learn_from_and_that_is_said(tmp_path: Path, run: Path) -> None:
    oracle = Striking(tmp_path / "calls", every=10**9, first=2, last=99)
    state = run_campaign(run, spec_of(**LEARNING, **budget()), oracle)
    assert state.closed is not None
    assert "one label is too few to learn from" in state.closed


@pytest.mark.parametrize("strategy", ["latent-bo", "random"])
def test_a_batch_larger_than_what_exists_takes_all_there_is_and_ends(
    tmp_path: Path, run: Path, strategy: str
) -> None:
    # Two atoms of two elements on two lattices: Ni₂, NiFe and Fe₂, each once.
    changes: dict[str, Any] = LEARNING | {
        "space": {"elements": ["Ni", "Fe"], "atoms": 2},
        "acquisition": {"strategy": strategy, "batch": 16},
        "augmentation": None,
    }
    if strategy == "random":
        changes["model"] = {}
    oracle = Flaky(tmp_path / "calls", every=10**9)
    state = run_campaign(run, spec_of(**changes, **budget()), oracle)
    assert state.closed == "nothing new is left to measure in the space"
    found = {
        (state.decisions[m.candidate].lattice, state.decisions[m.candidate].formula)
        for m in state.answers()
    }
    assert len(found) == len(state.answers()) == 6
    assert state.proposals[-1].stage is Stage.ACQUISITION
    assert not any(decision.chosen for decision in state.proposals[-1].decisions)


def test_a_space_that_refuses_every_candidate_closes_with_the_rule(
    tmp_path: Path, run: Path
) -> None:
    space = {"elements": ["Ni", "Fe"], "atoms": 16, "min_distance": 3.0}
    oracle = Flaky(tmp_path / "calls")
    state = run_campaign(run, spec_of(space=space, **budget()), oracle)
    assert state.closed is not None
    assert state.closed.startswith("nothing to measure: none of ")
    assert "refused by min_distance" in state.closed
