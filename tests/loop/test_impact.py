"""What depended on a label is what comes out otherwise without it, and nothing else."""

from pathlib import Path

import pytest

from alloop.canonical import sha256
from alloop.loop import controller
from alloop.loop.impact import Impact, impact_of
from alloop.loop.people.retracting import retract
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import CampaignClosed, ModelFitted, Proposed, Stage
from alloop.loop.record.overlay import OverlayStore
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import evaluation_id
from tests.loop.alloy_table import go, spec_of
from tests.loop.ledger import decision, proposed
from tests.loop.small_campaign import ThreadPool
from tests.loop.told import FINGERPRINTS, SPEC, Told


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)


def found_in(folder: RunFolder, *evaluations: str) -> Impact:
    return impact_of(folder.entries, evaluations, OverlayStore(folder.store.folder))


def test_every_later_surrogate_learnt_from_a_label_and_no_earlier_decision(
    run: Path, tmp_path: Path
) -> None:
    folder = go(run, spec_of(tmp_path))
    by_round = {m.round: m for m in folder.state.answers()}
    for round, label in by_round.items():
        impact = found_in(folder, label.evaluation)
        assert [p.round for _, p in impact.proposals] == list(range(round + 1, 3))
        assert all(p.stage is Stage.ACQUISITION for _, p in impact.proposals)
        assert not impact.models
        assert not impact.promotions
        assert not impact.retracted


def test_the_same_is_said_before_and_after_it_is_taken_back(run: Path, tmp_path: Path) -> None:
    folder = go(run, spec_of(tmp_path))
    best = folder.state.best()
    assert best is not None
    before = found_in(folder, best.evaluation)
    (conclusion,) = [c for c in before.conclusions if c.kind == "best"]
    assert conclusion.drawn == best.candidate
    retract(run, best.candidate, why="cracked")
    after = found_in(RunFolder.read(run), best.evaluation)
    assert after.retracted
    assert (after.proposals, after.conclusions) == (before.proposals, before.conclusions)
    now = RunFolder.read(run).state.best()
    assert now is not None
    assert now.candidate == conclusion.without


def test_a_label_that_nothing_was_compared_with_has_no_dependents(
    run: Path, tmp_path: Path
) -> None:
    folder = go(run, spec_of(tmp_path))
    worst = min(
        (m for m in folder.state.answers() if m.round == 2), key=lambda m: m.properties["hardness"]
    )
    impact = found_in(folder, worst.evaluation)
    assert not impact.seqs
    assert not impact.descendants
    assert not [c for c in impact.conclusions if c.kind == "best"]


def told_impact(story: Told, name: str, folder: Path) -> Impact:
    id = evaluation_id(sha256(name), FINGERPRINTS[0])
    return impact_of(story.entries, [id], ArtifactStore(folder))


def test_models_descendants_and_the_end_are_told(tmp_path: Path) -> None:
    story = Told(
        {"tiers": SPEC["tiers"][:1], "stop": {"target": 200}}
        | {"budget": {"initial": 2, "rounds": 3, "measurements": [100]}}
    )
    story.measure(0, Stage.INITIAL, {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0)})
    story.events.append(
        ModelFitted(
            round=1,
            checkpoint="a" * 64,
            n_labelled=2,
            n_unlabelled=0,
            epochs=1,
            seconds=1.0,
            metrics={},
        )
    )
    from alloop.loop.record.events import Lineage  # noqa: PLC0415

    child = decision(
        "c:Ni7Fe9",
        formula="Ni7Fe9",
        lineage=Lineage(source="climbed", parent=sha256("a:Ni8Fe8")),
    )
    story.events.append(proposed(1, Stage.ACQUISITION, [child]))
    story.answer(1, Stage.ACQUISITION, "c:Ni7Fe9", 205.0)
    reason = "the target is reached: bulk_modulus 205 GPa (wanted 200), candidate "
    story.events.append(CampaignClosed(reason=reason + sha256("c:Ni7Fe9")[:10]))
    of_parent = told_impact(story, "a:Ni8Fe8", tmp_path)
    assert [m.round for _, m in of_parent.models] == [1]
    assert [p.round for _, p in of_parent.proposals] == [1]
    assert of_parent.descendants == (sha256("c:Ni7Fe9"),)
    assert not of_parent.conclusions, "the end and the best are the child's"
    of_child = told_impact(story, "c:Ni7Fe9", tmp_path)
    assert not of_child.models
    assert not of_child.proposals
    assert {c.kind for c in of_child.conclusions} == {"best", "end"}


def test_a_promotion_that_compared_with_it_is_told(tmp_path: Path) -> None:
    story = Told({"budget": SPEC["budget"] | {"rounds": 0}, "promotion": {"keep_structure": False}})
    story.measure(
        0,
        Stage.INITIAL,
        {"a:Ni8Fe8": (190.0, 0.0), "b:Ni9Fe7": (180.0, 0.0), "c:Ni7Fe9": (170.0, 0.0)},
    )
    story.promote(0, {"a:Ni8Fe8": 201.0, "b:Ni9Fe7": 199.0})
    impact = told_impact(story, "b:Ni9Fe7", tmp_path)
    assert [p.stage for _, p in impact.promotions] == [Stage.PROMOTION]
    assert [m.properties["bulk_modulus"] for m in impact.higher_tiers] == [199.0]
    assert all(isinstance(p, Proposed) for _, p in impact.promotions)
