"""A campaign from Python: asked, told, and read as tables."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymatgen.core import Structure

from alloop import Campaign
from alloop.campaigns.load import parse_spec
from alloop.errors import AlloopError, DataError, RunError
from alloop.loop.people.own_candidates import score_candidates
from alloop.loop.python.campaign import Unobserved
from alloop.loop.record.by_hand.candidates import BatchAsked, CandidatesAdded, Vetoed
from alloop.loop.record.events import LedgerEntry
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.overlay import OverlayStore
from alloop.loop.record.verification import digest, verify
from alloop.loop.replay import replay
from alloop.loop.run_folder import RunFolder

sys.path.insert(0, str(Path(__file__).parents[1]))

SPEC: dict[str, Any] = {
    "name": "asked",
    "seed": 5,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "surrogate-bo", "batch": 4},
    "augmentation": None,
    "budget": {"initial": 6, "rounds": 3, "measurements": [60]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017", "properties": ["bulk_modulus"]}],
    "execution": {"kind": "local", "workers": 1},
}


def value_of(candidate: str) -> float:
    """The bulk modulus of a candidate, GPa: what somebody else measured."""
    return 150.0 + int(candidate[:4], 16) / 1000


def answer(campaign: Campaign) -> None:
    """Label everything that waits, by hand."""
    for suggestion in campaign.suggest():
        campaign.label(
            suggestion.candidate, {"bulk_modulus": value_of(suggestion.candidate)}, why="ours"
        )


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Campaign.create(SPEC, run=tmp_path / "run")


@pytest.fixture
def labelled(campaign: Campaign) -> Campaign:
    """With six labels, all given by hand: a campaign of machines asks none of them again."""
    answer(campaign)
    return campaign


def changed(structure: Structure, site: int, symbol: str) -> Structure:
    other = structure.copy()
    other.replace(site, symbol)
    return other


def new_beside(structure: Structure, campaign: Campaign) -> Structure:
    """Return the first crystal, one site from another, that a campaign would take and is new."""
    near = [changed(structure, site, s) for site in range(16) for s in ("Ni", "Cr", "Fe")]
    told = campaign.score(near)
    return next(each for each, scored in zip(near, told, strict=True) if scored.chosen)


def test_a_suggested_batch_is_measured_by_nobody_and_stays_the_next(campaign: Campaign) -> None:
    batch = campaign.suggest()
    assert len(batch) == 6
    assert all(isinstance(each.material, Structure) and len(each.material) == 16 for each in batch)
    assert all(each.why == "drawn at random" for each in batch)
    assert campaign.measurements().empty
    head = campaign.head
    assert [each.candidate for each in campaign.suggest()] == [each.candidate for each in batch]
    assert [each.candidate for each in campaign.suggest(2)] == [e.candidate for e in batch[:2]]
    assert campaign.head == head, "asking again writes nothing"


@pytest.mark.parametrize("form", ["mapping", "spec", "file"])
@pytest.mark.parametrize("settings", [{"budget.rounds": 1}, ["budget.rounds=1"]])
def test_settings_are_laid_over_whatever_says_the_campaign(
    tmp_path: Path, form: str, settings: Any
) -> None:
    given: Any = SPEC
    if form == "spec":
        given = parse_spec(SPEC, where="test")
    elif form == "file":
        given = tmp_path / "mine.yaml"
        given.write_text(yaml.safe_dump(SPEC))
    campaign = Campaign.create(given, run=tmp_path / "run", settings=settings)
    assert campaign.state.spec.budget.rounds == 1
    assert campaign.state.spec.budget.initial == 6


def test_the_first_candidates_come_in_parts_where_that_is_asked(campaign: Campaign) -> None:
    first = campaign.suggest(2)
    assert len(first) == 2
    answer(campaign)
    rest = campaign.suggest(99)
    assert len(rest) == 4, "the campaign's six first candidates, and no more"
    assert not {each.candidate for each in first} & {each.candidate for each in rest}
    answer(campaign)
    (batch,) = [campaign.suggest(3)]
    assert [each.round for each in batch] == [1, 1, 1]
    asked = [e.event for e in RunFolder.read(campaign.path).entries]
    assert [e.size for e in asked if isinstance(e, BatchAsked)] == [2, 99, 3]


def test_labels_by_hand_spare_the_machine(labelled: Campaign) -> None:
    table = labelled.measurements()
    assert len(table) == 6
    assert set(table["oracle"]) == {"person"}
    assert table["wall_seconds"].sum() == 0
    best = labelled.best()
    assert best is not None
    assert best.properties["bulk_modulus"] == max(map(value_of, table["candidate"]))
    assert [each.candidate for each in labelled.pareto_front()] == [best.candidate]


def test_a_label_of_what_no_machine_was_asked_is_refused(labelled: Campaign) -> None:
    rejected = labelled.suggest()[0].candidate
    labelled.veto(rejected, why="not that one")
    unknown = "f" * 64
    with pytest.raises(DataError, match="no tier of this campaign is measured by people"):
        labelled.label(unknown, {"bulk_modulus": 150.0})


def test_a_vetoed_candidate_is_withdrawn_and_never_chosen_again(labelled: Campaign) -> None:
    batch = labelled.suggest()
    assert len(batch) == 4
    unwanted = batch[1]
    labelled.veto(unwanted.candidate[:12], why="cobalt is not to be had")
    left = labelled.suggest()
    assert [each.candidate for each in left] == [
        each.candidate for each in batch if each.candidate != unwanted.candidate
    ]
    answer(labelled)
    answer(labelled)
    answer(labelled)
    answer(labelled)
    assert labelled.ended == "all 3 rounds are done"
    table = labelled.measurements()
    assert unwanted.candidate not in set(table["candidate"])
    decisions = labelled.decisions()
    later = decisions[(decisions["round"] > 1) & decisions["chosen"]]
    assert unwanted.candidate not in set(later["candidate"])
    again = decisions[(decisions["round"] > 1) & (decisions["candidate"] == unwanted.candidate)]
    assert set(again["rule"]) <= {"vetoed"}
    (event,) = (
        e.event for e in RunFolder.read(labelled.path).entries if isinstance(e.event, Vetoed)
    )
    assert event.why == "cobalt is not to be had"
    assert event.who


def test_equivalents_of_a_vetoed_candidate_are_refused(labelled: Campaign) -> None:
    unwanted = labelled.suggest()[0]
    labelled.veto(unwanted.candidate, why="no")
    moved = unwanted.material.copy()
    moved.translate_sites(range(len(moved)), [0.5, 0.5, 0.0])
    (scored,) = labelled.score([moved])
    assert scored.rule == "vetoed"
    assert "no" in scored.why


def test_own_candidates_enter_the_next_batch_first(labelled: Campaign) -> None:
    best = labelled.best()
    assert best is not None
    own = new_beside(labelled.suggest()[0].material, labelled)
    (scored,) = labelled.score([own])
    assert scored.chosen
    assert scored.expected["bulk_modulus"].std > 0
    assert scored.acquisition is not None
    (queued,) = labelled.add_candidates([own], why="from the literature")
    assert queued.chosen
    answer(labelled)
    batch = labelled.suggest()
    assert len(batch) == 4
    assert batch[0].candidate == queued.candidate
    assert batch[0].lineage.source == "added"
    assert batch[0].why.endswith(": from the literature")
    assert batch[0].round == 2
    assert labelled.state.by_hand.queue == ()


def test_candidates_outside_the_space_or_known_are_refused(labelled: Campaign) -> None:
    known = labelled.best()
    assert known is not None
    known_structure = RunFolder.read(labelled.path).store.get_material(known.candidate)
    stray = changed(known_structure, 0, "Co")
    small = Structure(known_structure.lattice, ["Ni"], [[0.0, 0.0, 0.0]])
    head = labelled.head
    refused = labelled.score([stray, known_structure, small])
    assert [each.rule for each in refused] == ["elements", "duplicate", "lattice"]
    with pytest.raises(DataError, match="contains Co"):
        labelled.add_candidates([stray, known_structure], why="try")
    with pytest.raises(DataError, match="equivalent to candidate"):
        labelled.add_candidates([known_structure], why="try")
    assert labelled.head == head


def test_a_reason_is_needed(labelled: Campaign) -> None:
    batch = labelled.suggest()
    with pytest.raises(AlloopError, match="needs a reason"):
        labelled.veto(batch[0].candidate, why=" ")
    with pytest.raises(AlloopError, match="needs a reason"):
        labelled.add_candidates([batch[0].material], why="")


def test_replay_and_verify_know_decisions_by_hand(labelled: Campaign) -> None:
    own = new_beside(labelled.suggest(3)[0].material, labelled)
    answer(labelled)
    labelled.add_candidates([own], why="a hunch")
    answer(labelled)
    folder = RunFolder.read(labelled.path)
    assert any(isinstance(e.event, CandidatesAdded) for e in folder.entries)
    for round in (1, 2):
        found = replay(folder.entries, OverlayStore(folder.store.folder), round)
        assert found.differences == ()
    assert verify(labelled.path, head=folder.head).ok


def test_a_busy_campaign_is_refused(labelled: Campaign) -> None:
    candidate = labelled.suggest()[0].candidate
    with Ledger.open(labelled.path, writable=True):
        for tell in (
            lambda: labelled.veto(candidate, why="no"),
            labelled.suggest,
            lambda: labelled.run(rounds=0),
        ):
            with pytest.raises(RunError, match="another controller"):
                tell()
        assert score_candidates(labelled.path, []) == (), "who only reads does not wait"


def test_a_run_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        Campaign.open(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_rounds_are_run_as_many_as_asked(labelled: Campaign) -> None:
    labelled.run(rounds=1)
    assert set(labelled.rounds()["round"]) == {0, 1}
    assert labelled.ended is None
    labelled.run(rounds=0)
    assert set(labelled.rounds()["round"]) == {0, 1}
    labelled.run()
    table = labelled.rounds()
    assert list(table["round"]) == [0, 1, 2, 3]
    assert list(table["measured"]) == [6, 4, 4, 4]
    assert labelled.ended == "all 3 rounds are done"
    assert labelled.suggest() == []
    with pytest.raises(RunError, match="has ended"):
        labelled.add_candidates([labelled.best().material], why="late")  # type: ignore[union-attr]


def test_a_notebook_shows_escaped_text(labelled: Campaign) -> None:
    own = new_beside(labelled.suggest()[0].material, labelled)
    (queued,) = labelled.add_candidates([own], why="<script>alert(1)</script>")
    html = queued._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<circle") == 16
    best = labelled.best()
    assert best is not None
    assert "<svg" in best._repr_html_()


class PowerCut(Exception):
    """Stands for the death of the process."""


class Killed(Unobserved):
    """Dies as soon as an event of a kind is written."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def event(self, entry: LedgerEntry) -> None:
        if entry.event.kind == self.kind:
            raise PowerCut


@pytest.mark.parametrize("kind", ["session_opened", "batch_asked", "proposed"])
def test_a_killed_suggestion_loses_nothing(tmp_path: Path, kind: str) -> None:
    whole, killed = (Campaign.create(SPEC, run=tmp_path / name) for name in ("whole", "killed"))
    with pytest.raises(PowerCut):
        killed.suggest(3, observer=Killed(kind))
    batches = [[each.candidate for each in each.suggest(3)] for each in (whole, killed)]
    assert batches[0] == batches[1]
    digests = [digest(RunFolder.read(each.path).entries) for each in (whole, killed)]
    assert digests[0] == digests[1]


def test_labels_that_are_known_count_among_the_first_candidates(tmp_path: Path) -> None:
    other = Campaign.create(SPEC, run=tmp_path / "other")
    answer(other)
    known = [
        (RunFolder.read(other.path).store.get_material(m.candidate), m.properties["bulk_modulus"])
        for m in other.state.answers()
    ]
    campaign = Campaign.create(SPEC, run=tmp_path / "run")
    structures, values = zip(*known, strict=True)
    campaign.add_labels(structures[:4], {"bulk_modulus": values[:4]}, why="ours")
    assert campaign.best() is None, "nobody measured them here"
    assert len(campaign.suggest()) == 2, "six first candidates, less four"
    answer(campaign)
    batch = campaign.suggest()
    assert [each.round for each in batch] == [1] * 4
    assert batch[0].expected["bulk_modulus"].std > 0


def test_enough_known_labels_make_random_candidates_needless(tmp_path: Path) -> None:
    other = Campaign.create(SPEC, run=tmp_path / "other")
    answer(other)
    store = RunFolder.read(other.path).store
    answers = other.state.answers()
    campaign = Campaign.create(SPEC, run=tmp_path / "run")
    campaign.add_labels(
        [store.get_material(m.candidate) for m in answers],
        {"bulk_modulus": [m.properties["bulk_modulus"] for m in answers]},
    )
    batch = campaign.suggest(3)
    assert [each.round for each in batch] == [1, 1, 1]
    assert not {each.candidate for each in batch} & {m.candidate for m in answers}
    assert all("by acquisition" in each.why for each in batch)


def test_an_optimiser_of_ones_own_fills_the_batches(labelled: Campaign) -> None:
    best = labelled.best()
    assert best is not None
    own = [changed(best.material, site, symbol) for site in range(5) for symbol in ("Ni", "Cr")]
    told = labelled.add_candidates(own, why="hill climbing")
    queued = [each.candidate for each in told if each.chosen]
    assert len(queued) >= 4
    batch = labelled.suggest()
    assert [each.candidate for each in batch] == queued[:4]
    assert labelled.state.by_hand.queue == tuple(queued[4:]), "the next batch takes the others"


def test_importing_alloop_imports_nothing_heavy() -> None:
    code = (
        "import sys, alloop; assert 'Campaign' in alloop.__all__; "
        "print([name for name in ('torch', 'pandas', 'pymatgen') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
