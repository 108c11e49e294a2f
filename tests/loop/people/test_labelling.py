"""People answer when and how they like; nothing they say is lost, doubled or half recorded."""

import math
import sys
from pathlib import Path
from typing import Any

import pytest

from alloop.campaigns.load import parse_spec
from alloop.errors import DataError, RunError
from alloop.loop.controller import Controller
from alloop.loop.people.labelling import record_file, record_typed
from alloop.loop.record.events import ModelFitted, Proposed, Stage
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.verification import digest, verify
from alloop.loop.replay import replay
from alloop.loop.report.page import write_run_report
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.corrections import correction_lines, corrections_in
from alloop.loop.steps import Wait, next_step

sys.path.insert(0, str(Path(__file__).parents[1]))
from lab import LEARNING, SPEC, TWO, Silent, asked, fill_in, go, state_of, value_of, write


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "results.csv"


def rounds(run: Path, sheet: Path, **changes: Any) -> RunFolder:
    """Answer everything until the campaign is closed."""
    state = go(run, **changes)
    while state.closed is None:
        record_file(run, fill_in(run, sheet))
        state = go(run)
    return RunFolder.read(run)


def test_a_campaign_waits_for_people_and_goes_on_with_their_labels(run: Path, sheet: Path) -> None:
    state = go(run)
    assert state.closed is None
    assert len(asked(run)) == 4
    assert isinstance(next_step(state), Wait)
    folder = rounds(run, sheet)
    state = folder.state
    assert state.closed == "all 2 rounds are done"
    assert len(state.answers()) == 4 + 3 + 3
    for m in state.answers():
        assert m.properties == {"bulk_modulus": value_of(m.candidate)}
    best = state.best()
    assert best is not None
    assert best.properties["bulk_modulus"] == max(value_of(e.candidate) for e in state.evaluations)
    assert verify(run, head=folder.head).ok


def test_waiting_again_writes_nothing(run: Path) -> None:
    go(run)
    before = RunFolder.read(run).head
    go(run)
    assert RunFolder.read(run).head == before


def test_a_sheet_that_was_lost_is_written_again(run: Path) -> None:
    go(run)
    content = (run / "requests.csv").read_bytes()
    (run / "requests.csv").unlink()
    go(run)
    assert (run / "requests.csv").read_bytes() == content


def test_what_somebody_began_to_fill_in_is_kept(run: Path, sheet: Path) -> None:
    go(run)
    begun = fill_in(run, run / "requests.csv", share=0.5).read_bytes()
    record_typed(run, asked(run)[3]["candidate"], ["bulk_modulus=170"])
    go(run)
    (kept,) = run.glob("requests-*.csv")
    assert kept.read_bytes() == begun
    assert len(asked(run)) == 3


def test_part_of_a_batch_is_recorded_and_the_rest_waited_for(run: Path, sheet: Path) -> None:
    go(run)
    done = record_file(run, fill_in(run, sheet, share=0.5))
    assert (done.answered, done.unchanged) == (2, 0)
    state = go(run)
    assert len(state.pending) == 2
    assert len(asked(run)) == 2
    assert all(proposal.stage is Stage.INITIAL for proposal in state.proposals)


def test_the_same_file_twice_changes_nothing(run: Path, sheet: Path) -> None:
    go(run)
    record_file(run, fill_in(run, sheet))
    head = RunFolder.read(run).head
    again = record_file(run, sheet)
    assert again.is_known_file
    assert again.answered == 0
    same = [row | {"bulk_modulus": value_of(row["candidate"])} for row in asked(run)]
    assert record_file(run, write(sheet, same[::-1])).unchanged == 4
    assert RunFolder.read(run).head == head


def test_a_quorum_lets_the_next_round_begin_and_late_results_count(run: Path, sheet: Path) -> None:
    tiers = [{"kind": "person", "properties": ["bulk_modulus"], "quorum": 0.75}]
    go(run, tiers=tiers)
    late = asked(run)[3]["candidate"]
    record_file(run, fill_in(run, sheet, share=0.5))
    assert len(go(run).proposals) == 1
    record_typed(run, asked(run)[0]["candidate"], ["bulk_modulus=160"])
    state = go(run)
    assert state.proposals[-1].round == 1
    assert late in {row["candidate"] for row in asked(run)}
    on_time = [row["candidate"] for row in asked(run) if row["candidate"] != late]
    for candidate in on_time:
        record_typed(run, candidate, ["bulk_modulus=161"])
    state = go(run)
    assert state.proposals[-1].round == 2
    for row in asked(run):
        if row["candidate"] != late:
            record_typed(run, row["candidate"], ["bulk_modulus=162"])
    state = go(run)
    assert state.closed is None, "the last one is waited for at the end"
    record_typed(run, late, ["bulk_modulus=299"])
    state = go(run)
    assert state.closed is not None
    best = state.best()
    assert best is not None
    assert best.candidate.startswith(late)


def test_a_row_without_all_its_properties_stays_pending_until_the_rest_comes(
    run: Path, sheet: Path
) -> None:
    go(run, **TWO)
    first, *others = asked(run)
    done = record_typed(run, first["candidate"], ["bulk_modulus=180"])
    assert done.partial == 1
    state = go(run)
    assert len(state.pending) == 4
    assert asked(run)[0]["bulk_modulus"] == "180.0"
    assert record_file(run, run / "requests.csv").unchanged == 1
    record_typed(run, first["candidate"], ["density=8.1"])
    (answer,) = state_of(run).answers()
    assert answer.properties == {"bulk_modulus": 180.0, "density": 8.1}
    assert state_of(run).partial == {}
    assert len(state_of(run).pending) == len(others)


def test_a_measurement_that_people_could_not_make_is_an_answer(run: Path, sheet: Path) -> None:
    go(run)
    rows = asked(run)
    record_typed(run, rows[0]["candidate"], ["failed=the ingot broke"])
    write(sheet, [row | {"bulk_modulus": 150} for row in rows[1:]])
    record_file(run, sheet)
    state = go(run)
    assert state.proposals[-1].round == 1
    failed = [m for m in state.measured.values() if m.failure_kind is not None]
    assert [m.failure_message for m in failed] == ["the ingot broke"]


def test_a_correction_is_a_new_event_and_what_depended_on_it_is_named(
    run: Path, sheet: Path
) -> None:
    go(run, **LEARNING)
    record_file(run, fill_in(run, sheet))
    wrong = asked(run)[0]["candidate"]
    state = go(run)
    assert 1 in state.models
    n_before = len(RunFolder.read(run).entries)
    done = record_typed(run, wrong, ["bulk_modulus=99.5"])
    (correction,) = done.corrections
    folder = RunFolder.read(run)
    assert len(folder.entries) == n_before + 1
    assert correction.old.properties == {"bulk_modulus": value_of(wrong)}
    (new,) = [m for m in folder.state.answers() if m.candidate.startswith(wrong)]
    assert new.properties == {"bulk_modulus": 99.5}
    depended = {
        (e.round, type(e))
        for e in (entry.event for entry in folder.entries)
        if isinstance(e, ModelFitted) or (isinstance(e, Proposed) and e.round > 0)
    }
    named = {(e.round, type(e)) for e in (*correction.models, *correction.proposals)}
    assert named == depended == {(1, ModelFitted), (1, Proposed)}
    assert len(correction_lines(correction)) == 3
    assert verify(run, head=folder.head).ok
    # The next model learns the new value.
    record_file(run, fill_in(run, sheet))
    record_typed(run, wrong, ["bulk_modulus=100.5"])
    last = corrections_in(RunFolder.read(run).entries)[-1]
    assert last.old.properties == {"bulk_modulus": 99.5}
    assert last.models == ()


def test_a_correction_from_failed_to_measured_counts(run: Path) -> None:
    go(run)
    candidate = asked(run)[0]["candidate"]
    record_typed(run, candidate, ["failed=lost in the post"])
    done = record_typed(run, candidate, ["bulk_modulus=171"])
    assert len(done.corrections) == 1
    assert [m.properties for m in state_of(run).answers()] == [{"bulk_modulus": 171.0}]


def test_an_old_file_does_not_undo_a_correction(run: Path, sheet: Path) -> None:
    go(run)
    record_file(run, fill_in(run, sheet))
    candidate = asked(run)[0]["candidate"]
    record_typed(run, candidate, ["bulk_modulus=99"])
    assert record_file(run, sheet).is_known_file
    assert 99.0 in [m.properties["bulk_modulus"] for m in state_of(run).answers()]


def test_labels_after_the_end_are_kept(run: Path, sheet: Path) -> None:
    folder = rounds(run, sheet)
    best = folder.state.best()
    assert best is not None
    record_typed(run, best.candidate[:10], ["bulk_modulus=1"])
    state = go(run)
    assert state.closed is not None
    assert state.best() != best


BAD = [
    ({"bulk_modulus": "hard"}, "column 'bulk_modulus': 'hard' is not a finite number"),
    ({"bulk_modulus": "inf"}, "not a finite number"),
    ({"bulk_modulus": 150, "failed": "broke"}, "column 'failed': a failed measurement has no"),
    ({"bulk_modulus": 150, "candidate": "zz"}, "column 'candidate': no candidate with an id"),
    ({"bulk_modulus": 150, "formula": "Ni"}, "Has a column been sorted without the others"),
    ({"bulk_modulus": 150, "tier": 3}, "column 'tier': tier '3' is not measured by people"),
    ({"bulk_modulus": 150, "hardness": 3}, "the column 'hardness' means nothing here"),
    ({"bulk_modulus": 150, "candidate": "", "formula": ""}, "neither a candidate nor a formula"),
    ({"bulk_modulus": 150, "candidate": "", "formula": "Ni3Co"}, "contains Co"),
    ({"bulk_modulus": 150, "candidate": "", "formula": "Ni9Fe"}, "was never proposed"),
    ({"bulk_modulus": 150, "candidate": "", "formula": "Ni)"}, "column 'formula': .* is not a f"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_one_bad_row_and_nothing_of_the_file_is_recorded(
    run: Path, sheet: Path, change: dict[str, object], message: str
) -> None:
    go(run)
    head = RunFolder.read(run).head
    rows: list[Any] = [row | {"bulk_modulus": 150} for row in asked(run)]
    rows[2] |= change
    with pytest.raises(DataError, match=message):
        record_file(run, write(sheet, rows))
    assert RunFolder.read(run).head == head


def test_a_candidate_that_stands_twice_in_a_file_is_refused(run: Path, sheet: Path) -> None:
    go(run)
    row = asked(run)[0] | {"bulk_modulus": "150"}
    with pytest.raises(DataError, match="line 3: the candidate of line 2 appears here again"):
        record_file(run, write(sheet, [row, row]))


@pytest.mark.parametrize("words", [[], ["150"], ["hue=3"], ["bulk_modulus=1", "bulk_modulus=2"]])
def test_words_that_say_nothing_are_refused(run: Path, words: list[str]) -> None:
    go(run)
    with pytest.raises(DataError):
        record_typed(run, asked(run)[0]["candidate"], words)


def test_a_yes_or_no_is_1_or_0(run: Path) -> None:
    tiers = [{"kind": "person", "properties": ["single_phase_probability"]}]
    wish = [{"property": "single_phase_probability", "goal": "maximise"}]
    go(run, tiers=tiers, objectives=wish)
    candidate = asked(run)[0]["candidate"]
    with pytest.raises(DataError, match="0 or 1"):
        record_typed(run, candidate, ["single_phase_probability=0.7"])
    record_typed(run, candidate, ["single_phase_probability=1"])


def test_a_run_that_is_not_there_is_not_made(tmp_path: Path, sheet: Path) -> None:
    with pytest.raises(RunError):
        record_typed(tmp_path / "none", "Ni", ["bulk_modulus=1"])
    assert not (tmp_path / "none").exists()


def test_a_busy_run_is_refused(run: Path) -> None:
    go(run)
    with Ledger.open(run, writable=True), pytest.raises(RunError, match="another controller"):
        record_typed(run, asked(run)[0]["candidate"], ["bulk_modulus=1"])


def test_a_campaign_that_nobody_answers_takes_no_labels(run: Path) -> None:
    spec = parse_spec(
        SPEC | {"tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}]}, where="lab"
    )
    with Controller(run, spec, observer=Silent()):
        pass
    with pytest.raises(DataError, match="no tier of this campaign is measured by people"):
        record_typed(run, "Ni", ["bulk_modulus=1"])


def test_the_digest_is_of_the_newest_values(run: Path, sheet: Path) -> None:
    right, wrong = run, run.with_name("wrong")
    for each in (right, wrong):
        go(each)
    candidate = asked(right)[0]["candidate"]
    record_typed(wrong, candidate, ["bulk_modulus=1"])
    record_typed(wrong, candidate, ["bulk_modulus=150"])
    record_typed(right, candidate, ["bulk_modulus=150"])
    assert digest(RunFolder.read(right).entries) == digest(RunFolder.read(wrong).entries)
    assert math.isclose(state_of(wrong).answers()[0].properties["bulk_modulus"], 150)


COMPOSITIONS: dict[str, Any] = {
    "space": {"kind": "compositions", "elements": ["Ni", "Fe", "Cr"]},
    "model": {"kind": "dvae"},
}


def test_a_material_that_was_never_asked_for_enters_the_data_marked_as_such(
    run: Path, sheet: Path
) -> None:
    state = go(run, **COMPOSITIONS)
    left = state.remaining()
    row = {"candidate": "", "formula": "Ni3Fe2Cr", "bulk_modulus": 400}
    done = record_file(run, write(sheet, [row]))
    assert done.unrequested == 1
    state = go(run)
    (answer,) = state.answers()
    assert answer.stage is Stage.UNREQUESTED
    assert state.decisions[answer.candidate].lineage.source == "reported"
    assert state.remaining() == left, "what nobody asked for is not paid from the budget"
    assert len(asked(run)) == 4
    assert [p.stage for p in state.requested] == [Stage.INITIAL]
    # Said again, otherwise written: the same material.
    assert record_typed(run, "Cr2Fe4Ni6", ["bulk_modulus=400"]).unchanged == 1
    assert len(record_typed(run, "Cr2Fe4Ni6", ["bulk_modulus=401"]).corrections) == 1
    folder = rounds(run, sheet)
    best = folder.state.best()
    assert best is not None
    assert best.stage is Stage.UNREQUESTED
    assert len(folder.state.answers()) == 1 + 4 + 3 + 3
    assert write_run_report(folder).read_text().count("reported unasked") > 0
    assert verify(run, head=folder.head).ok


def test_a_formula_is_enough_to_name_what_was_asked_for(run: Path) -> None:
    go(run, **COMPOSITIONS)
    formula = asked(run)[0]["formula"]
    assert record_typed(run, formula, ["bulk_modulus=170"]).answered == 1
    with pytest.raises(DataError, match="contains Co"):
        record_typed(run, "CoFe", ["bulk_modulus=170"])
    with pytest.raises(DataError, match="not a formula"):
        record_typed(run, "Fe)", ["bulk_modulus=170"])


def test_fractions_in_columns_name_a_material_too(run: Path, sheet: Path) -> None:
    go(run, **COMPOSITIONS)
    good = {"Ni": 0.5, "Fe": 0.5, "Cr": 0, "bulk_modulus": 180}
    assert record_file(run, write(sheet, [good])).unrequested == 1
    with pytest.raises(DataError, match="line 2: the fractions of the elements sum to"):
        record_file(run, write(sheet, [good | {"Ni": 0.4}]))


def test_a_partial_result_trains_surrogate_and_model(run: Path) -> None:
    tiers = [{"kind": "person", "properties": ["bulk_modulus", "density"], "quorum": 0.75}]
    go(run, **(TWO | LEARNING | {"tiers": tiers}))
    *whole, part = [row["candidate"] for row in asked(run)]
    for i, candidate in enumerate(whole):
        record_typed(run, candidate, [f"bulk_modulus={160 + i}", f"density={8.1 + i / 10}"])
    record_typed(run, part, ["bulk_modulus=171"])
    state = go(run)
    assert state.models[1].n_labelled == 4, "three whole ones, and half of the fourth"
    assert "surrogate_bulk_modulus" in state.proposals[-1].notes
    folder = RunFolder.read(run)
    assert replay(folder.entries, folder.store, 1).agrees
