"""A campaign with two objectives goes for their Pareto front, above a point that stays."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from alloop.campaigns.load import parse_spec
from alloop.canonical import sha256
from alloop.errors import SpecError
from alloop.loop import controller
from alloop.loop.commands.registry import app
from alloop.loop.compare.comparison import compare
from alloop.loop.controller import Controller
from alloop.loop.record.events import ReferenceTaken, Stage
from alloop.loop.replay import replay
from alloop.loop.report.page import render_report
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.materials import Material
from alloop.oracles.base import Measurement
from tests.loop.choose.strategies.toys import FCC, ORDERING, Toy
from tests.loop.observers import Silent
from tests.loop.small_campaign import ThreadPool

OBJECTIVES: list[dict[str, Any]] = [
    {"property": "bulk_modulus", "goal": "maximise"},
    {"property": "formation_energy_per_atom", "goal": "minimise"},
]
SPEC: dict[str, Any] = ORDERING | {
    "objectives": OBJECTIVES,
    "constraints": [{"property": "density", "min": 8.0}],
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "lammps", "potential": "NiFeCr-Wu2017", "promote": 3},
    ],
    "acquisition": {"batch": 4, "pool": 8},
    "budget": {"initial": 10, "rounds": 2, "measurements": [18, 3]},
    "cache": False,
}


@dataclass(frozen=True)
class TwoToy(Toy):
    """Unlike first neighbours are stiff, unlike second ones stable: not both can be had."""

    constant: bool = False

    def fingerprint(self) -> str:
        return sha256(self.name)

    def measure(self, material: Material) -> Measurement:
        numbers = np.where(np.array(FCC.decoration(material)) == "Ni", 1.0, -1.0)  # type: ignore[arg-type]
        first, second = ((numbers[:, None] * numbers[shell]).mean() for shell in FCC.shells[:2])
        values = {
            "bulk_modulus": 150.0 - 30.0 * float(first),
            "formation_energy_per_atom": 0.0 if self.constant else 0.1 * float(second - first),
            "density": 8.0 + float(numbers[0]) / 10,
        }
        return Measurement.succeeded(values, oracle=self.name, fingerprint=self.fingerprint())


def search(run: Path, oracle: TwoToy | None = None, **changes: Any) -> RunFolder:
    toy = oracle or TwoToy()
    spec = parse_spec(SPEC | changes, where="toy")
    tiers = [replace(toy, name=f"toy {tier}") for tier in range(len(spec.tiers))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(controller, "MeasuringPool", ThreadPool)  # no oracle here needs a process
        with Controller(run, spec, build_oracles=lambda _: tiers, observer=Silent()) as running:
            running.run()
    return RunFolder.read(run)


def told(folder: RunFolder, *words: str) -> str:
    """Return what `alloop status` says."""
    done = CliRunner().invoke(app, ["status", str(folder.path), *words], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


ONE_ROUND = {"initial": 10, "rounds": 1, "measurements": [14, 1]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return search(tmp_path_factory.mktemp("two") / "run")


@pytest.mark.nightly  # in CI rounds of every strategy are replayed
def test_its_decisions_follow_again_from_the_record(folder: RunFolder) -> None:
    for round in (1, 2):
        found = replay(folder.entries, folder.store, round)
        assert found.agrees, found.differences
        assert found.n_decisions >= 4


def test_the_reference_point_is_taken_once_and_by_its_rule(folder: RunFolder) -> None:
    taken = [e.event for e in folder.entries if isinstance(e.event, ReferenceTaken)]
    state = folder.state
    (event,) = taken
    first = [m.properties for m in state.answers() if m.stage is Stage.INITIAL]
    assert event.n_labels == len(first) == 10
    for objective in state.spec.objectives:
        name = objective.property
        values = np.array([objective.utility(p[name]) for p in first])
        low, high = np.quantile(values, [0.25, 0.75])
        feasible = np.array([objective.utility(p[name]) for p in first if p["density"] >= 8.0])
        quarter, three = np.quantile(feasible, [0.25, 0.75])
        worst = feasible[feasible >= quarter - 1.5 * (three - quarter)].min()
        expected = worst - 0.1 * (high - low) / 1.349
        assert objective.utility(event.reference[name]) == pytest.approx(expected)
        assert event.scales[name] == pytest.approx((high - low) / 1.349)
    assert state.utility.reference == pytest.approx(
        [o.utility(event.reference[o.property]) for o in state.spec.objectives]
    )


def test_the_front_is_what_nothing_feasible_dominates(folder: RunFolder) -> None:
    state = folder.state
    front = pareto_front(state)
    feasible = [m for m in state.answers() if m.properties["density"] >= 8.0]
    points = {m.candidate: state.utility.utilities(m.properties) for m in feasible}
    values = {
        point
        for point in points.values()
        if not any(
            all(a >= b for a, b in zip(other, point, strict=True)) and other != point
            for other in points.values()
        )
    }
    assert {points[member.candidate] for member in front.members} == values
    assert len(front.members) == len(values)
    assert front.is_reached
    best = state.best()
    assert best is not None
    assert points[best.candidate] in values


def test_the_front_goes_up_the_largest_contribution_first(folder: RunFolder) -> None:
    state = folder.state
    promoted = [e.candidate for e in state.evaluations if e.tier == 1]
    members = sorted(pareto_front(state).members, key=lambda m: -m.contribution)
    expected = [m.candidate for m in members if m.contribution > 0][:3]
    assert expected
    assert promoted[: len(expected)] == expected
    assert len(members) < 3 or {*promoted} <= {m.candidate for m in members}
    proposal = next(p for p in state.proposals if p.stage is Stage.PROMOTION)
    assert "on the Pareto front" in proposal.decisions[0].reason


def test_status_report_and_compare_show_the_front(folder: RunFolder) -> None:
    front = pareto_front(folder.state)
    shown = json.loads(told(folder, "--format", "json"))["front"]
    assert shown["hypervolume"] == pytest.approx(front.hypervolume)
    assert [m["candidate"] for m in shown["members"]] == [m.candidate for m in front.members]
    table = told(folder)
    assert "Pareto front" in table
    assert "best compromise" in table
    page = render_report(folder.state, folder.store, head=folder.head)
    assert 'id="pareto"' in page
    assert 'id="hypervolume"' in page
    assert "Best compromise" in page


def test_runs_are_compared_from_the_point_that_they_recorded(
    folder: RunFolder, tmp_path: Path
) -> None:
    random = {"strategy": "random", "batch": 4}
    other = search(tmp_path / "random", acquisition=random, budget=ONE_ROUND)
    found = compare([folder.path, other.path])
    assert other.state.reference == folder.state.reference  # of one seed, with the same labels
    assert found.progress.reference == folder.state.utility.reference
    ours = next(run for g in found.groups for run in g.runs if run.run.path == folder.path)
    assert len(ours.curve) == 18
    assert ours.curve[-1] == pytest.approx(pareto_front(folder.state).hypervolume)


@pytest.mark.parametrize("strategy", ["local-search", "annealing", "genetic", "greedy"])
def test_other_strategies_go_for_the_front_too(tmp_path: Path, strategy: str) -> None:
    budget = {"initial": 10, "rounds": 2, "measurements": [18, 1]}
    acquisition = {"strategy": strategy, "batch": 4}
    folder = search(tmp_path / "run", budget=budget, acquisition=acquisition)
    assert len(folder.state.answers()) == 18
    found = replay(folder.entries, folder.store, 2)
    assert found.agrees, found.differences


def test_a_reference_that_nothing_reaches_is_said_and_headed_for(tmp_path: Path) -> None:
    stated = [OBJECTIVES[0] | {"reference": 500.0}, OBJECTIVES[1]]
    folder = search(tmp_path / "run", objectives=stated, budget=ONE_ROUND)
    front = pareto_front(folder.state)
    assert not front.is_reached
    (problem,) = front.problems
    assert "bulk_modulus 500" in problem
    assert "nothing beats it in bulk_modulus" in problem
    assert problem in " ".join(told(folder).split())
    moduli = {
        stage: [m.properties["bulk_modulus"] for m in folder.state.answers() if m.stage is stage]
        for stage in (Stage.INITIAL, Stage.ACQUISITION)
    }
    assert np.mean(moduli[Stage.ACQUISITION]) > np.mean(moduli[Stage.INITIAL])


def test_a_constant_objective_is_said_and_stops_nothing(tmp_path: Path) -> None:
    folder = search(tmp_path / "run", TwoToy(constant=True), budget=ONE_ROUND)
    front = pareto_front(folder.state)
    assert front.constant == ("formation_energy_per_atom",)
    assert len(front.members) == 1
    assert len(folder.state.answers()) == 14
    best = folder.state.best()
    assert best is not None
    assert front.members[0].answer.properties == best.properties


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"objectives": [OBJECTIVES[0] | {"weight": 2}, OBJECTIVES[1]]},
            r"objectives\.0\.weight.*scalarisation: weighted-sum",
        ),
        (
            {"objectives": [OBJECTIVES[0] | {"scale": 2}, OBJECTIVES[1]]},
            r"objectives\.0\.scale.*scalarisation: weighted-sum",
        ),
        ({"objectives": [OBJECTIVES[0], OBJECTIVES[0]]}, r"objectives\.1.*already"),
        ({"objectives": OBJECTIVES[:1], "scalarisation": "weighted-sum"}, "one objective only"),
        (
            {"objectives": [OBJECTIVES[0] | {"reference": 100.0}]},
            r"objectives\.0\.reference: a reference counts against other",
        ),
        (
            {
                "objectives": [
                    {
                        "property": "bulk_modulus",
                        "goal": "window",
                        "window": [150, 160],
                        "reference": 155,
                    },
                    OBJECTIVES[1],
                ]
            },
            "nothing is better than the reference 155",
        ),
        (
            {"objectives": [*OBJECTIVES, {"property": "band_gap", "goal": "maximise"}]},
            "does not measure band_gap",
        ),
    ],
)
def test_what_can_mean_nothing_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_spec(SPEC | changes, where="toy")
