"""A campaign may go on under other terms, as long as its labels mean what they did."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alloop.errors import AlloopError, RunError, SpecError
from alloop.loop import controller
from alloop.loop.commands.registry import app
from alloop.loop.people.changing import change
from alloop.loop.record.by_hand.changes import SpecChanged
from alloop.loop.record.events import (
    Proposed,
    ReferenceTaken,
    SessionClosed,
    SessionOpened,
    Stage,
)
from alloop.loop.record.verification import verify
from alloop.loop.replay import replay
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.ranking.reference import reference_from
from alloop.loop.state.trials import all_trials
from alloop.materials import composition_of
from tests.loop.alloy_table import go, spec_of
from tests.loop.ledger import state_after
from tests.loop.small_campaign import ThreadPool
from tests.loop.told import Told


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)


def chosen_by_round(folder: RunFolder) -> dict[int, int]:
    """Return how many candidates each round's acquisition chose."""
    return {
        p.round: sum(d.chosen for d in p.decisions)
        for p in folder.state.proposals
        if p.stage is Stage.ACQUISITION
    }


def test_a_campaign_that_ended_goes_on_with_more_rounds(run: Path, tmp_path: Path) -> None:
    before = go(run, spec_of(tmp_path))
    assert before.state.closed == "all 2 rounds are done"
    done = change(run, ["budget.rounds=4", "acquisition.batch=2"], why=" still rising ", who="Ada")
    assert done.closed is None
    assert RunFolder.read(run).state.closed is None
    after = go(run)
    assert after.state.closed == "all 4 rounds are done"
    assert chosen_by_round(after) == {1: 3, 2: 3, 3: 2, 4: 2}
    assert after.entries[: len(before.entries)] == before.entries
    first, second = after.state.terms
    assert (second.who, second.why) == ("Ada", "still rising")
    assert second.changes == {"budget.rounds": (2, 4), "acquisition.batch": (3, 2)}
    assert {t.terms for t in all_trials(after.state) if t.proposal.round <= 2} == {first.number}
    assert {t.terms for t in all_trials(after.state) if t.proposal.round > 2} == {second.number}
    assert verify(run, head=after.head).ok


def test_every_round_follows_again_under_the_terms_of_then(run: Path, tmp_path: Path) -> None:
    go(run, spec_of(tmp_path))
    change(run, {"budget.rounds": 3, "acquisition.batch": 5}, why="more at once")
    folder = go(run)
    for round in (1, 2, 3):
        found = replay(folder.entries, folder.store, round)
        assert found.agrees, found.differences
        assert found.n_decisions > 0


def test_a_narrower_space_holds_from_then_on(run: Path, tmp_path: Path) -> None:
    before = go(run, spec_of(tmp_path))
    change(run, ["budget.rounds=5", "space.fractions.Cr=[0, 0.2]"], why="chromium is banned")
    folder = go(run)
    assert any(
        composition_of(folder.store.get_material(m.candidate))["Cr"] > 0.2
        for m in before.state.answers()
    )
    later = [m for m in folder.state.answers() if m.round > 2]
    assert len(later) == 9
    for m in later:
        assert composition_of(folder.store.get_material(m.candidate))["Cr"] <= 0.2 + 1e-9


def test_a_space_in_which_all_is_measured_goes_on_once_it_is_wider(
    run: Path, tmp_path: Path
) -> None:
    narrow = {"kind": "compositions", "elements": ["Ni", "Fe", "Cr"], "fractions": {"Cr": [0, 0]}}
    spec = spec_of(
        tmp_path, {"space": narrow, "budget": {"initial": 8, "rounds": 9, "measurements": [60]}}
    )
    assert go(run, spec).state.closed == "every row of the table is measured"
    assert len(RunFolder.read(run).state.answers()) == 11
    change(run, ["space.fractions.Cr=[0, 0.1]"], why="a little chromium")
    folder = go(run)
    assert len(folder.state.answers()) > 11
    change(run, ["stop.target=1"], why="this is good enough")
    assert (RunFolder.read(run).state.closed or "").startswith("the target is reached")


def test_other_objectives_take_reference_and_scales_anew(run: Path, tmp_path: Path) -> None:
    two: list[dict[str, Any]] = [
        {"property": "hardness", "goal": "maximise"},
        {"property": "price", "goal": "minimise"},
    ]
    before = go(run, spec_of(tmp_path, {"objectives": two}))
    change(
        run,
        ["objectives.1={property: price, goal: window, window: [5, 6]}", "budget.rounds=3"],
        why="cheap enough is enough",
    )
    assert RunFolder.read(run).state.reference is None
    folder = go(run)
    taken = [e.event for e in folder.entries if isinstance(e.event, ReferenceTaken)]
    labels = [m.properties for m in before.state.answers()]
    assert taken == [
        reference_from(before.state.spec, labels[:8]),
        reference_from(folder.state.spec, labels),
    ]
    assert taken[0].scales["price"] != taken[1].scales["price"]
    assert folder.state.reference == taken[1]
    assert taken[1].n_labels == 8 + 3 + 3


def test_one_objective_becomes_another_that_was_measured_all_along(
    run: Path, tmp_path: Path
) -> None:
    go(run, spec_of(tmp_path))
    change(
        run, ["objectives.0={property: price, goal: minimise}", "budget.rounds=5"], why="too dear"
    )
    folder = go(run)
    best = folder.state.best()
    assert best is not None
    assert best.properties["price"] == min(m.properties["price"] for m in folder.state.answers())
    last = next(e.event for e in reversed(folder.entries) if isinstance(e.event, Proposed))
    assert set(last.decisions[0].posterior) == {"price"}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("seed=12", "seed: the random draws made so far"),
        ("name=other", "name: it stays with a run"),
        ("space.elements=[Ni, Fe]", "space.elements: Cr is in what was measured already"),
        ("space={kind: structures, elements: [Ni, Fe, Cr]}", "not structures"),
        ("properties.hardness.unit=HV", "the values so far are in GPa"),
        ("model={kind: dvae, epochs: 7}", "model: each round's model continues"),
        ("objectives.0.property=density", "does not measure density"),
        ("space.fractions={Ni: [0, 0.2], Fe: [0, 0.2], Cr: [0, 0.2]}", "of Cr"),
        ("space.fractions={Ni: [0.42, 0.48], Fe: [0.42, 0.48]}", "fractions refuses 66"),
        ("budget.initial=9", "the initial candidates are drawn already"),
        ("budget.rounds=2", "goes by these terms already"),
        ("budget.round=3", "unknown key 'round'"),
        ("tiers.0.properties={hardness: price, price: hardness}", "would measure other values"),
    ],
)
def test_what_makes_labels_lose_their_meaning_is_refused_with_the_reason(
    run: Path, tmp_path: Path, setting: str, says: str
) -> None:
    folder = go(run, spec_of(tmp_path))
    with pytest.raises(AlloopError) as refused:
        change(run, [setting], why="why not")
    assert says in str(refused.value)
    assert RunFolder.read(run).head == folder.head, "nothing is written"


def test_labels_that_lack_what_is_wanted_now_are_counted(run: Path, tmp_path: Path) -> None:
    alone: dict[str, Any] = {
        "kind": "table",
        "properties": {"hardness": "hardness"},
        "ignore": ["price"],
    }
    spec = spec_of(tmp_path)
    alone["file"] = spec.model_dump(mode="json")["tiers"][0]["file"]
    go(run, spec_of(tmp_path, {"tiers": [alone]}))
    with pytest.raises(RunError, match=r"14 measurements by tier 0 \(table\) hold no price"):
        change(
            run,
            [
                "constraints=[{property: price, max: 9}]",
                "tiers.0.properties={hardness: hardness, price: price}",
                "tiers.0.ignore=[]",
            ],
            why="a limit",
        )


def test_a_reason_is_needed(run: Path, tmp_path: Path) -> None:
    go(run, spec_of(tmp_path))
    with pytest.raises(AlloopError, match="needs a reason"):
        change(run, ["budget.rounds=3"], why="  ")


def test_launch_of_a_changed_file_shows_the_difference_and_the_command(
    run: Path, tmp_path: Path
) -> None:
    go(run, spec_of(tmp_path))
    with pytest.raises(RunError) as refused:
        go(run, spec_of(tmp_path, {"budget": {"initial": 8, "rounds": 5, "measurements": [60]}}))
    assert "budget.rounds: 2 there, 5 asked for" in str(refused.value)
    assert f'`alloop change {run} --set budget.rounds=5 --why "…"`' in str(refused.value)
    with pytest.raises(RunError, match="cannot be changed to this one"):
        go(run, spec_of(tmp_path, {"seed": 12}))


def test_the_command_says_what_changed_and_every_listing_under_which_terms(
    run: Path, tmp_path: Path
) -> None:
    go(run, spec_of(tmp_path))
    shell = CliRunner()
    done = shell.invoke(app, ["change", str(run), "--set", "budget.rounds=3", "--why", "one more"])
    assert done.exit_code == 0, done.output
    assert "budget.rounds: 2, now 3" in done.output
    folder = go(run)
    status = shell.invoke(app, ["status", str(run)]).output.replace("│", " ")
    assert "budget.rounds: 2, now 3; one more" in " ".join(status.split())
    rows = shell.invoke(app, ["audit", str(run), "--format", "csv"]).output.splitlines()
    names = rows[0].split(",")
    terms = {
        (row.split(",")[names.index("round")], row.split(",")[names.index("terms")])
        for row in rows[1:]
    }
    assert terms == {("0", "1"), ("1", "1"), ("2", "1"), ("3", "2")}
    last = folder.state.answers()[-1].candidate
    assert "under terms 2" in shell.invoke(app, ["explain", str(run), last]).output


def test_changes_are_refused_while_somebody_works_on_the_run(run: Path, tmp_path: Path) -> None:
    go(run, spec_of(tmp_path))
    with (
        controller.Controller(run, None, observer=controller.Observer),  # type: ignore[arg-type]
        pytest.raises(RunError),
    ):
        change(run, ["budget.rounds=3"], why="now")


def test_what_people_do_by_hand_takes_no_wall_time() -> None:
    story = Told()
    story.events.append(SessionOpened())
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0)})
    assert story.state.wall_seconds == 3, "an event a second"
    more, most = (SpecChanged(changes={"budget.rounds": n}, who="Ada", why="more") for n in (5, 6))
    assert state_after([*story.events, more, most]).wall_seconds == 3, "it was killed"
    closed = SessionClosed(reason="interrupted")
    assert state_after([*story.events, closed, more, most]).wall_seconds == 4


def test_a_wrong_spec_is_said_by_the_key(run: Path, tmp_path: Path) -> None:
    go(run, spec_of(tmp_path))
    with pytest.raises(SpecError, match=r"budget\.rounds"):
        change(run, ["budget.rounds=-1"], why="fewer")
