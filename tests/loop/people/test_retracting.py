"""What is taken back is not believed any more, stays on record, and does not come back."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pymatgen.core import Composition
from typer.testing import CliRunner

from alloop.canonical import sha256
from alloop.errors import AlloopError
from alloop.loop import controller
from alloop.loop.choose.known_values import known_values
from alloop.loop.commands.registry import app
from alloop.loop.impact import impact_of
from alloop.loop.people.bringing import bring_labels
from alloop.loop.people.changing import change
from alloop.loop.people.known_labels import labels_from_python
from alloop.loop.people.labelling import record_typed
from alloop.loop.people.retracting import retract
from alloop.loop.record.by_hand.changes import Retracted, SpecChanged
from alloop.loop.record.events import CampaignClosed, Measured, ModelFitted, Stage
from alloop.loop.record.overlay import OverlayStore
from alloop.loop.record.verification import digest, verify
from alloop.loop.replay import replay
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState, evaluation_id
from alloop.loop.steps import Fit, Measure, Propose, TakeReference, next_step
from alloop.materials import material_id
from tests.loop import lab
from tests.loop.alloy_table import go, spec_of
from tests.loop.small_campaign import ThreadPool
from tests.loop.told import FINGERPRINTS, SPEC, Told


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)


def best_of(state: CampaignState) -> Measured:
    best = state.best()
    assert best is not None
    return best


def test_the_best_is_taken_back_and_the_next_best_is_the_best(run: Path, tmp_path: Path) -> None:
    before = go(run, spec_of(tmp_path))
    ranked = sorted(before.state.answers(), key=lambda m: m.properties["hardness"])
    done = retract(run, ranked[-1].candidate, why="the indenter was cracked", who="Ada")
    assert [r.measured for r in done.retractions] == [ranked[-1]]
    after = RunFolder.read(run)
    state = after.state
    assert best_of(state).candidate == ranked[-2].candidate
    assert ranked[-1].candidate not in {m.candidate for m in state.answers()}
    assert ranked[-1].candidate not in {known.candidate for known in known_values(state)}
    assert len(state.answers()) == len(before.state.answers()) - 1
    assert not state.pending, "it is not asked for once more"
    assert state.cost(0) == before.state.cost(0), "what it cost stays paid"
    assert state.remaining() == before.state.remaining()
    assert digest(after.entries) != digest(before.entries)
    assert after.entries[: len(before.entries)] == before.entries
    assert verify(run, head=done.head).ok


def test_a_campaign_that_was_over_is_over_without_it_or_goes_on(run: Path, tmp_path: Path) -> None:
    go(run, spec_of(tmp_path))
    best = best_of(RunFolder.read(run).state)
    done = retract(run, best.candidate, why="wrong sample")
    assert done.closed == RunFolder.read(run).state.closed == "all 2 rounds are done"
    least = best_of(RunFolder.read(run).state).properties["hardness"]
    target = {
        "stop": {"target": least},
        "budget": {"initial": 8, "rounds": 9, "measurements": [60]},
    }
    other = tmp_path / "other"
    folder = go(other, spec_of(tmp_path, target))
    assert (folder.state.closed or "").startswith("the target is reached")
    reached = [m for m in folder.state.answers() if m.properties["hardness"] >= least]
    for m in reached:
        done = retract(other, m.candidate, why="wrong sample")
    assert done.closed is None
    assert RunFolder.read(other).state.closed is None
    closings = [e.event for e in go(other).entries if isinstance(e.event, CampaignClosed)]
    assert reached[0].candidate[:10] in closings[0].reason
    assert not any(m.candidate[:10] in closings[-1].reason for m in reached)


def test_rounds_before_and_after_follow_again(run: Path, tmp_path: Path) -> None:
    folder = go(run, spec_of(tmp_path))
    best = best_of(folder.state)
    retract(run, best.candidate, why="wrong sample")
    change(run, ["budget.rounds=3"], why="one more")
    folder = go(run)
    for round in (1, 2, 3):
        assert replay(folder.entries, folder.store, round).agrees
    chosen = [m.candidate for m in folder.state.answers() if m.round == 3]
    assert len(chosen) == 3
    assert best.candidate not in chosen, "nobody asked for it once more"
    assert best.candidate not in folder.state.measured


def test_it_is_measured_again_if_that_is_asked_for_and_not_reused(
    run: Path, tmp_path: Path
) -> None:
    cache = {"cache": str(tmp_path / "labels")}
    folder = go(run, spec_of(tmp_path, cache))
    other = go(tmp_path / "other", spec_of(tmp_path, cache))
    assert all(m.reuse is not None for m in other.state.recorded.values())
    best = best_of(folder.state)
    done = retract(run, best.candidate, why="wrong sample", again=True)
    assert done.n_cached == 1
    assert done.closed is None
    state = RunFolder.read(run).state
    assert isinstance(step := next_step(state), Measure)
    assert [e.candidate for e in step.evaluations] == [best.candidate]
    assert state.remaining() == folder.state.remaining() - 1, "it is paid for a second time"
    state = go(run).state
    again = state.recorded[best.evaluation]
    assert again.reuse is None
    assert again.properties == best.properties
    assert state.closed == "all 2 rounds are done"
    assert not state.retracted
    assert len(state.retractions) == 1
    assert state.cost(0).calls == folder.state.cost(0).calls + 1
    third = go(tmp_path / "third", spec_of(tmp_path, cache)).state
    assert third.recorded[best.evaluation].reuse is not None, "the new label may be reused"


def test_another_campaign_does_not_reuse_what_was_taken_back(run: Path, tmp_path: Path) -> None:
    cache = {"cache": str(tmp_path / "labels")}
    best = best_of(go(run, spec_of(tmp_path, cache)).state)
    retract(run, best.candidate, why="wrong sample")
    state = go(tmp_path / "other", spec_of(tmp_path, cache)).state
    assert [m.evaluation for m in state.recorded.values() if m.reuse is None] == [best.evaluation]


def test_all_by_one_fingerprint_are_taken_back(run: Path, tmp_path: Path) -> None:
    folder = go(run, spec_of(tmp_path))
    done = retract(
        run, fingerprint=folder.state.fingerprints[0][:8], why="the table was another alloy's"
    )
    assert len(done.retractions) == 14
    state = RunFolder.read(run).state
    assert state.best() is None
    assert len(state.retracted) == 14
    event = next(e.event for e in RunFolder.read(run).entries if isinstance(e.event, Retracted))
    assert event.fingerprint == folder.state.fingerprints[0]


def test_what_is_not_there_is_not_taken_back(run: Path, tmp_path: Path) -> None:
    folder = go(run, spec_of(tmp_path))
    best = best_of(folder.state).candidate
    with pytest.raises(AlloopError, match="no measurement of fingerprint 0000"):
        retract(run, fingerprint="0000", why="no")
    with pytest.raises(AlloopError, match="by tier 1"):
        retract(run, best, tier=1, why="no")
    with pytest.raises(AlloopError, match="either which candidate or which fingerprint"):
        retract(run, why="no")
    assert RunFolder.read(run).head == folder.head
    retract(run, best, why="yes")
    with pytest.raises(AlloopError, match="it was taken back before"):
        retract(run, best, why="again")


def taken_back(*names: str, again: bool = False) -> Retracted:
    ids = tuple(evaluation_id(sha256(name), FINGERPRINTS[0]) for name in names)
    return Retracted(evaluations=ids, who="Ada", why="wrong", again=again)


def fitted(round: int) -> ModelFitted:
    return ModelFitted(
        round=round,
        checkpoint="a" * 64,
        n_labelled=2,
        n_unlabelled=0,
        epochs=1,
        seconds=1.0,
        metrics={},
    )


def test_no_model_goes_on_from_one_that_had_learnt_from_it() -> None:
    story = Told()
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0)})
    story.events.append(fitted(1))
    story.measure(1, Stage.ACQUISITION, {"c:Ni7Fe9": (185.0, 0.0), "d:Ni6Fe10": (170.0, 0.0)})
    story.events.append(fitted(2))
    assert next_step(story.state) == Propose(2, Stage.ACQUISITION)
    story.events.append(taken_back("c:Ni7Fe9"))
    assert story.state.outdated_models == {2}
    assert next_step(story.state) == Fit(2), "the round's model is fitted without it"
    story.events.append(taken_back("a:Ni8Fe8"))
    assert story.state.outdated_models == {1, 2}
    story.events.append(fitted(2))
    assert story.state.outdated_models == {1}
    assert next_step(story.state) == Propose(2, Stage.ACQUISITION)


def test_a_reference_point_is_taken_anew_without_the_label_that_it_was_taken_from() -> None:
    two = [
        {"property": "bulk_modulus", "goal": "maximise"},
        {"property": "volume_per_atom", "goal": "minimise"},
    ]
    story = Told({"objectives": two})
    values = {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0), "c:Ni7Fe9": (185.0, 0.0)}
    story.measure(0, Stage.INITIAL, values)
    from alloop.loop.state.ranking.reference import reference_from  # noqa: PLC0415

    labels = [m.properties for m in story.state.answers()]
    story.events.append(reference_from(story.state.spec, labels))
    assert isinstance(next_step(story.state), Fit)
    story.events.append(taken_back("b:Ni9Fe7"))
    assert isinstance(next_step(story.state), TakeReference)


def bring(run: Path, alloys: Sequence[str], hardness: Sequence[float]) -> list[str]:
    """Bring labels of the first tier and return the candidates' ids."""
    materials = [Composition(alloy) for alloy in alloys]
    units = RunFolder.read(run).state.spec.units()
    values = {"hardness": hardness}
    bring_labels(run, [labels_from_python(materials, values, units=units)])
    return [material_id(material) for material in materials]


def test_a_label_that_was_brought_is_taken_back_and_its_material_stays(
    run: Path, tmp_path: Path
) -> None:
    go(run, spec_of(tmp_path))
    before = {k.candidate for k in known_values(RunFolder.read(run).state)}
    wrong, right = bring(run, ["Ni0.33Fe0.33Cr0.34", "Ni0.77Fe0.13Cr0.1"], [99.0, 5.5])
    assert {k.candidate for k in known_values(RunFolder.read(run).state)} == before | {wrong, right}
    change(run, ["budget.rounds=3"], why="one more")
    later = go(run)
    impact = impact_of(later.entries, [], OverlayStore(later.store.folder), brought=[wrong])
    assert [label.properties for label in impact.brought] == [{"hardness": 99.0}]
    assert [p.round for _, p in impact.proposals] == [3]
    done = retract(run, wrong, why="another unit")
    assert not done.retractions
    assert [r.label.properties for r in done.labels] == [{"hardness": 99.0}]
    state = RunFolder.read(run).state
    assert wrong not in {k.candidate for k in known_values(state)}
    assert right in {k.candidate for k in known_values(state)}
    assert state.formulas[wrong], "the material stays"
    with pytest.raises(AlloopError, match="it was taken back before"):
        retract(run, wrong, why="again")
    folder = RunFolder.read(run)
    again = impact_of(folder.entries, [], OverlayStore(folder.store.folder), brought=[wrong])
    assert again.retracted
    assert again.proposals == impact.proposals
    shell = CliRunner()
    assert "another unit" in shell.invoke(app, ["explain", str(run), wrong]).output
    said = shell.invoke(app, ["impact", str(run), wrong[:12]]).output
    assert "brought: hardness 99; retracted by" in said
    assert "round 3, acquisition" in said


def test_people_may_measure_what_they_took_back(run: Path) -> None:
    lab.go(run)
    (first, *_) = lab.asked(run)
    record_typed(run, first["candidate"], ["bulk_modulus=170"])
    record_typed(run, first["candidate"], ["bulk_modulus=171"])
    state = RunFolder.read(run).state
    (m,) = state.recorded.values()
    assert m.properties == {"bulk_modulus": 171.0}
    retract(run, m.candidate, why="the press leaked")
    state = RunFolder.read(run).state
    assert not state.recorded
    assert m.evaluation not in {e.id for e in state.pending}, "nobody is asked once more"
    done = record_typed(run, first["candidate"], ["bulk_modulus=180"])
    assert (done.answered, done.corrections) == (1, ())
    state = RunFolder.read(run).state
    assert state.recorded[m.evaluation].properties == {"bulk_modulus": 180.0}
    assert not state.retracted
    assert len(state.retractions) == 1


def test_a_model_of_other_properties_or_another_space_begins_afresh() -> None:
    story = Told()
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0)})
    story.events.append(fitted(1))
    changes = {"acquisition.batch": 3}
    story.events.append(SpecChanged(changes=changes, who="Ada", why="fewer"))
    assert not story.state.outdated_models
    assert next_step(story.state) == Propose(1, Stage.ACQUISITION)
    narrower = {"space.fractions": {"Ni": [0.3, 1.0]}}
    story.events.append(SpecChanged(changes=narrower, who="Ada", why="nickel"))
    assert story.state.outdated_models == {1}
    assert next_step(story.state) == Fit(1)
    story.events.append(fitted(1))
    one = {"constraints": [{"property": "volume_per_atom", "max": 12.0}]}
    story.events.append(SpecChanged(changes=one, who="Ada", why="dense"))
    assert next_step(story.state) == Fit(1)


def test_a_promoted_candidate_keeps_its_dearer_value() -> None:
    story = Told({"budget": SPEC["budget"] | {"rounds": 0}})
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0)})
    story.promote(0, {"a:Ni8Fe8": 201.0})
    story.events.append(taken_back("a:Ni8Fe8"))
    state = story.state
    assert best_of(state).candidate == sha256("b:Ni9Fe7")
    dearer = state.best(1)
    assert dearer is not None
    assert dearer.candidate == sha256("a:Ni8Fe8")
    assert state.tier_budgets(0) == ()


def test_the_commands_say_what_was_taken_back(run: Path, tmp_path: Path) -> None:
    folder = go(run, spec_of(tmp_path))
    best, shell = best_of(folder.state), CliRunner()
    done = shell.invoke(app, ["retract", str(run), best.candidate[:10], "--why", "cracked"])
    assert done.exit_code == 0, done.output
    assert "1 measurement taken back" in done.output
    status = " ".join(shell.invoke(app, ["status", str(run)]).output.split())
    assert "1 retracted" in status
    told = shell.invoke(app, ["explain", str(run), best.candidate]).output
    assert "cracked" in told
    assert f"hardness {best.properties['hardness']:.6g}" in told, "the value stays on record"
    listed = shell.invoke(app, ["audit", str(run), "--format", "csv"]).output
    rows = [line for line in listed.splitlines() if best.candidate in line]
    assert sum(",retracted," in row and "cracked" in row for row in rows) == 1
    report = shell.invoke(app, ["report", str(run)])
    assert report.exit_code == 0, report.output
    assert "cracked" in (run / "report.html").read_text()
    impact = shell.invoke(app, ["impact", str(run), best.candidate])
    assert impact.exit_code == 0, impact.output
    assert f"{best.candidate[:12]}" in impact.output
    assert "was the best of tier 0" in impact.output
