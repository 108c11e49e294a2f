"""What people are asked for, as files that they can use."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar

from alloop.errors import DataError, RunError
from alloop.files.structure_files import read_structure
from alloop.loop.people.labelling import record_file, record_typed
from alloop.loop.people.requests.writing import refresh_requests
from alloop.loop.people.vetoes import record_veto
from alloop.loop.record.events import Stage
from alloop.loop.run_folder import RunFolder

sys.path.insert(0, str(Path(__file__).parents[1]))
from lab import asked, go, state_of, value_of, write

ALLOYS: dict[str, Any] = {
    "space": {"kind": "compositions", "elements": ["Al", "Co", "Ni"], "resolution": 0.02},
    "tiers": [
        {"kind": "person", "properties": ["bulk_modulus"], "protocol": "arc-melted, ultrasound"}
    ],
}


def names(run: Path, ending: str) -> set[str]:
    return {path.name.removesuffix(ending) for path in (run / "requests").glob(f"*{ending}")}


def test_every_structure_that_is_asked_for_lies_there_twice(run: Path) -> None:
    state = go(run)
    ids = {e.candidate[:12]: e.candidate for e in state.pending}
    assert names(run, ".cif") == names(run, ".POSCAR") == set(ids)
    store = RunFolder.read(run).store
    for short, candidate in ids.items():
        wanted = store.get_material(candidate)
        assert isinstance(wanted, Structure)
        for read in (
            read_structure(run / "requests" / f"{short}.cif").structure,
            Poscar.from_file(run / "requests" / f"{short}.POSCAR").structure,
        ):
            assert read.composition == wanted.composition
            distances = [np.sort(each.distance_matrix, axis=None) for each in (read, wanted)]
            np.testing.assert_allclose(*distances, atol=1e-4)


def test_the_folder_says_in_words_what_is_asked_and_how_to_answer(run: Path) -> None:
    go(run, **ALLOYS)
    text = (run / "requests" / "README.txt").read_text("utf-8")
    assert "waits for 4 measurements" in text
    assert "bulk_modulus in GPa" in text
    assert "arc-melted, ultrasound" in text
    assert text.count("drawn at random") == 4
    for row in asked(run):
        assert row["candidate"] in text
        assert row["formula"] in text
    assert names(run, ".cif") == set(), "an alloy has no cell"
    assert (run / "requests" / "requests.csv").read_bytes() == (run / "requests.csv").read_bytes()


def test_the_folder_holds_what_is_asked_now(run: Path) -> None:
    go(run)
    first, second, *others = asked(run)
    (run / "requests" / "notes.txt").write_text("mine")
    record_typed(run, first["candidate"], ["bulk_modulus=170"])
    record_veto(run, second["candidate"], "it would melt")
    refresh_requests(run, state_of(run))
    assert names(run, ".cif") == {row["candidate"] for row in others}
    assert second["candidate"] not in (run / "requests" / "README.txt").read_text("utf-8")
    assert (run / "requests" / "notes.txt").read_text() == "mine"


def test_a_link_in_the_place_of_the_folder_is_not_followed(run: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run.mkdir()
    (run / "requests").symlink_to(elsewhere)
    with pytest.raises(RunError):
        go(run, **ALLOYS)
    assert list(elsewhere.iterdir()) == []


def test_a_vetoed_request_is_not_waited_for(run: Path) -> None:
    go(run)
    *answered, vetoed = asked(run)
    for row in answered:
        record_typed(run, row["candidate"], [f"bulk_modulus={value_of(row['candidate'])}"])
    record_veto(run, vetoed["candidate"], "no furnace gets so hot")
    state = go(run)
    assert vetoed["candidate"] not in {row["candidate"] for row in asked(run)}
    replaced = [p for p in state.proposals if p.stage is Stage.INITIAL][1]
    assert sum(d.chosen for d in replaced.decisions) == 1, "another takes its place"


def test_what_was_made_instead_is_recorded_and_what_was_asked_stays_asked(
    run: Path, tmp_path: Path
) -> None:
    go(run, **ALLOYS)
    first, second, *_ = asked(run)
    done = record_typed(run, first["candidate"], ["bulk_modulus=171", "instead=Al3Co4Ni3"])
    assert (done.answered, done.unrequested) == (0, 1)
    sheet = write(
        tmp_path / "sheet.csv",
        [{"candidate": second["candidate"], "instead": "Al2Co4Ni4", "bulk_modulus": 172}],
    )
    record_file(run, sheet)
    state = state_of(run)
    assert {first["candidate"], second["candidate"]} <= {e.candidate[:12] for e in state.pending}
    made = [d for d in state.decisions.values() if d.lineage.source == "reported"]
    assert [d.formula for d in made] == ["Al0.3Co0.4Ni0.3", "Al0.2Co0.4Ni0.4"]
    assert [(d.lineage.parent or "")[:12] for d in made] == [
        first["candidate"],
        second["candidate"],
    ]
    assert sorted(m.properties["bulk_modulus"] for m in state.answers()) == [171, 172]


def test_another_ordering_that_was_made_is_read_from_a_file(run: Path, tmp_path: Path) -> None:
    go(run)
    first, second, *_ = asked(run)
    path = run / "requests" / f"{second['candidate']}.POSCAR"
    record_typed(run, first["candidate"], ["bulk_modulus=171", f"instead={path}"])
    (answer,) = state_of(run).answers()
    assert answer.candidate[:12] == second["candidate"], "it was another that was asked for"
    foreign = tmp_path / "foreign.cif"
    foreign.write_text((run / "requests" / f"{first['candidate']}.cif").read_text())
    sheet = write(
        tmp_path / "sheet.csv",
        [{"candidate": first["candidate"], "instead": "../foreign.cif", "bulk_modulus": 172}],
    )
    with pytest.raises(DataError, match="not the name of a file beside the sheet"):
        record_file(run, sheet)
    with pytest.raises(DataError, match=r"nothing\.cif"):
        record_typed(run, first["candidate"], ["bulk_modulus=171", "instead=nothing.cif"])


def test_who_gave_a_label_and_why_is_recorded(run: Path) -> None:
    go(run)
    record_typed(run, asked(run)[0]["candidate"], ["bulk_modulus=170"], why="by  ultrasound")
    (answer,) = state_of(run).answers()
    assert answer.who
    assert answer.why == "by ultrasound"
