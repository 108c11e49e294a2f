"""Why a candidate was chosen or not: its place, its rival, and what would have had to differ."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alloop.canonical import sha256
from alloop.loop import controller
from alloop.loop.commands.record.explanation import explanation_of
from alloop.loop.commands.registry import app
from alloop.loop.explain.places import place_of
from alloop.loop.explain.required import requirements
from alloop.loop.people.changing import change
from alloop.loop.record.events import Stage
from alloop.loop.run_folder import RunFolder
from tests.loop.alloy_table import go, spec_of
from tests.loop.ledger import decision, proposed
from tests.loop.small_campaign import ThreadPool
from tests.loop.told import Told


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)


def test_places_are_those_of_the_scores(run: Path, tmp_path: Path) -> None:
    state = go(run, spec_of(tmp_path)).state
    (proposal,) = [p for p in state.proposals if (p.round, p.stage) == (2, Stage.ACQUISITION)]
    scores = sorted((d.acquisition or 0.0 for d in proposal.decisions), reverse=True)
    chosen = [d for d in proposal.decisions if d.chosen]
    rejected = [d for d in proposal.decisions if not d.chosen]
    runner_up = max(rejected, key=lambda d: d.acquisition or 0.0)
    last = min(chosen, key=lambda d: d.acquisition or 0.0)
    for each in proposal.decisions:
        place = place_of(proposal, each)
        assert place is not None
        assert scores[place.rank - 1] == each.acquisition
        assert place.n == len(proposal.decisions)
        assert place.rival == (runner_up if each.chosen else last)
        if not each.chosen:
            assert place.margin == pytest.approx(each.margin)


def test_what_was_needed_would_have_been_enough(run: Path, tmp_path: Path) -> None:
    """At the mean that is said to be needed the surrogate's own expected improvement is larger by
    as much as the score was short."""
    folder = go(run, spec_of(tmp_path))
    state = folder.state
    rejected = [
        d
        for p in state.proposals
        if p.round == 2
        for d in p.decisions
        if d.rule == "acquisition" and d.candidate not in state.formulas
    ]
    assert rejected
    for each in rejected[:5]:
        found = explanation_of(state, folder.entries, each.candidate)
        required = next(
            r
            for row, r in zip(found.rows, found.required, strict=True)
            if row["round"] == 2 and row["rule"] == "acquisition"
        )
        score, mean = required
        assert score.found == each.acquisition
        assert isinstance(score.needed, float)
        assert score.needed - (each.acquisition or 0.0) == pytest.approx(-(each.margin or 0.0))
        assert mean.about
        assert mean.bound == "at least"
        assert mean.found == each.posterior["hardness"].mean
        assert isinstance(mean.needed, float)
        assert mean.needed > each.posterior["hardness"].mean


def test_a_composition_outside_is_told_every_bound_that_it_breaks() -> None:
    space = {"elements": ["Ni", "Fe", "Cr"], "atoms": 16, "fractions": {"Ni": [0.5, 1]}}
    story = Told({"space": space})
    refused = decision(
        "x",
        formula="Ni4Fe8Co4",
        chosen=False,
        rule="fractions",
        margin=-0.25,
        reason="Ni is 0.25, allowed are 0.5 to 1",
    )
    story.events.append(proposed(0, Stage.INITIAL, [refused]))
    state = story.state
    found = requirements(state, state.spec, refused, 0, place=None, best=None)
    assert [(r.what, r.found, r.needed, r.bound) for r in found] == [
        ("the fraction of Ni", 0.25, 0.5, "at least"),
        ("the fraction of Co", 0.25, 0.0, "at most"),
    ]


def test_a_promotion_is_told_the_value_of_the_last_that_was_promoted() -> None:
    story = Told()
    story.measure(
        0,
        Stage.INITIAL,
        {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0), "c:Ni7Fe9": (170.0, 0.0)},
    )
    decisions = [
        decision("a:Ni8Fe8"),
        decision("b:Ni9Fe7"),
        decision("c:Ni7Fe9", chosen=False, rule="promotion", margin=-1.0),
    ]
    story.events.append(proposed(0, Stage.PROMOTION, decisions, tier=1))
    state = story.state
    place = place_of(state.proposals[-1], decisions[2])
    assert place is not None
    assert (place.rank, place.n) == (3, 3)
    assert place.rival is not None
    assert place.rival.candidate == sha256("b:Ni9Fe7")
    (needed,) = requirements(state, state.spec, decisions[2], 1, place=place, best=None)
    assert str(needed) == "its bulk_modulus by tier 0 at least 180 GPa, and was 170"


def test_the_command_says_it_in_words_and_as_json(run: Path, tmp_path: Path) -> None:
    go(run, spec_of(tmp_path))
    change(run, ["budget.rounds=3"], why="one more")
    go(run)
    state, shell = RunFolder.read(run).state, CliRunner()
    lost = next(
        d.candidate
        for p in state.proposals
        for d in p.decisions
        if d.rule == "acquisition" and d.candidate not in state.formulas
    )
    said = shell.invoke(app, ["explain", str(run), lost])
    assert said.exit_code == 0, said.output
    assert "the last that was chosen was" in said.output
    assert "to be chosen it would have had to differ:" in said.output
    assert "its expected hardness at least about" in said.output
    first = next(e.candidate for e in state.evaluations)
    said = shell.invoke(app, ["explain", str(run), first])
    assert "3 proposals decided since" in said.output
    assert f"`alloop impact {run} {first[:12]}`" in said.output
    chosen = next(
        d.candidate for p in state.proposals if p.round == 2 for d in p.decisions if d.chosen
    )
    told = json.loads(shell.invoke(app, ["explain", str(run), chosen, "--format", "json"]).output)
    row = next(row for row in told["decisions"] if row["round"] == 2)
    assert row["chosen"]
    assert row["place"]["rank"] <= 3
    assert row["place"]["margin"] >= 0
    assert row["place"]["rival"] is not None
    assert row["would_have_had_to_differ"] == []
    assert told["dependents"]["proposals"] == [{"round": 3, "stage": "acquisition", "tier": 0}]
