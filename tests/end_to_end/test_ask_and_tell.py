"""The conversation with a campaign, from Python and by commands: the same words, equal ledgers."""

import csv
import io
import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from alloop import Campaign
from alloop.files.structure_files import read_structure
from alloop.loop.commands.app import main
from alloop.loop.record.events import LedgerEntry
from alloop.loop.record.verification import digest, verify
from alloop.loop.run_folder import RunFolder
from alloop.materials import Material

SPEC: dict[str, Any] = {
    "name": "talk",
    "seed": 3,
    "space": {"elements": ["Ni", "Fe", "Cr"], "lattices": ["fcc"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "surrogate-bo", "batch": 2},
    "augmentation": None,
    "budget": {"initial": 4, "rounds": 5, "measurements": [40]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017", "properties": ["bulk_modulus"]}],
}
KNOWN = {"Ni16": 184.6, "Ni15Cr1": 187.0, "Ni15Fe1": 185.1, "Ni14Fe1Cr1": 187.9}
"""Bulk moduli of dilute alloys, GPa."""
OWN = "Ni13Fe1Cr2"


def fcc(formula: str) -> Structure:
    """An fcc cell of 16 atoms: two by two by two body-centred tetragonal cells."""
    cell = Structure(Lattice.tetragonal(2.517, 3.56), ["Ni"] * 2, [[0, 0, 0], [0.5, 0.5, 0.5]])
    cell.make_supercell(2)
    place = 0
    for symbol in ("Fe", "Cr"):
        for _ in range(int(formula.partition(symbol)[2][:1] or 0)):
            cell.replace(place, symbol)
            place += 5
    return cell


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a spec, known structures and one of somebody's own."""
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(SPEC))
    for formula in (*KNOWN, OWN):
        (tmp_path / f"{formula}.cif").write_text(str(CifWriter(fcc(formula))))
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["structure", "bulk_modulus"])
    for formula, value in KNOWN.items():
        table.writerow([(tmp_path / f"{formula}.cif").read_text(), value])
    (tmp_path / "known.csv").write_text(text.getvalue())
    return tmp_path


def material(path: Path) -> Material:
    return read_structure(path).structure


def talk_from_python(files: Path) -> Path:
    campaign = Campaign.create(files / "mine.yaml", run=files / "python")
    known = [material(files / f"{formula}.cif") for formula in KNOWN]
    campaign.add_labels(known, {"bulk_modulus": list(KNOWN.values())})
    batch = campaign.suggest(8)
    assert len(batch) == 8
    assert all(each.chosen and "by acquisition" in each.why for each in batch)
    campaign.add_candidates([material(files / f"{OWN}.cif")], why="from the literature")
    campaign.veto(batch[3].candidate, why="chromium is not to be had")
    campaign.label(batch[0].candidate, {"bulk_modulus": 191.2}, why="ultrasound")
    campaign.run(rounds=2)
    return campaign.path


def talk_by_commands(files: Path, alloop: Callable[..., str]) -> Path:
    run = files / "commands"
    alloop("create", files / "mine.yaml", "--run", run)
    alloop("bring", run, files / "known.csv")
    printed = alloop("suggest", run, "-n", 8, "--format", "csv")
    batch = [row["candidate"] for row in csv.DictReader(printed.splitlines())]
    assert len(batch) == 8
    alloop("add", run, files / f"{OWN}.cif", "--why", "from the literature")
    alloop("veto", run, batch[3][:12], "--why", "chromium is not to be had")
    alloop("label", run, batch[0][:12], "bulk_modulus=191.2", "--why", "ultrasound")
    alloop("resume", run, "--rounds", 2)
    return run


@pytest.fixture
def alloop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    def run(*words: object) -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["alloop", *map(str, words)])
        code: int | str | None = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        assert not code, err
        return out

    return run


def told(entry: LedgerEntry) -> tuple[object, ...]:
    """What an event says that does not depend on the clock or on where labels were read from."""
    event = entry.event
    fields = ("candidate", "candidates", "size", "who", "why", "reason", "round", "stage", "tier")
    return (event.kind, *(getattr(event, name, None) for name in fields))


def all_told(entries: Sequence[LedgerEntry]) -> list[tuple[object, ...]]:
    """What events say, in the order of the ledger; measurements that follow one another stand in
    the order of their candidates, because two of them end when each is done."""
    groups = groupby(map(told, entries), key=itemgetter(0))
    return [
        said for kind, g in groups for said in (sorted(g, key=str) if kind == "measured" else g)
    ]


def test_python_and_commands_say_the_same(files: Path, alloop: Callable[..., str]) -> None:
    python, commands = (
        RunFolder.read(run) for run in (talk_from_python(files), talk_by_commands(files, alloop))
    )
    assert digest(python.entries) == digest(commands.entries)
    assert all_told(python.entries) == all_told(commands.entries)
    assert verify(python.path).ok
    assert verify(commands.path).ok
    hand = [e for e in python.entries if getattr(e.event, "who", "")]
    assert [e.event.kind for e in hand] == [
        *("labels_brought", "batch_asked", "candidates_added", "vetoed", "measured"),
    ]
    what_came_of_it(Campaign.open(commands.path), alloop)


def what_came_of_it(campaign: Campaign, alloop: Callable[..., str]) -> None:
    state = campaign.state
    assert len(state.brought_measurements) == 4
    assert state.remaining() == 40 - (8 - 1) - 2 - 2, "what was brought and vetoed costs nothing"
    decisions = campaign.decisions()
    own = decisions[decisions["source"] == "added"]
    assert list(own["round"]) == [2]
    assert own["reason"].str.endswith(": from the literature").all()
    assert own["status"].tolist() == ["ok"]
    (vetoed,) = state.by_hand.vetoes
    assert vetoed not in set(campaign.measurements()["candidate"])
    explained = alloop("explain", campaign.path, vetoed[:12])
    assert "chromium is not to be had" in explained
    assert "withdrawn from tier 0" in explained
    listed = alloop("audit", campaign.path, "--candidate", vetoed[:12], "--format", "csv")
    assert "chromium is not to be had" in listed
    assert "vetoed" in alloop("status", campaign.path)
    (candidate,) = own["candidate"]
    assert "a candidate of somebody's own" in alloop("explain", campaign.path, candidate[:12])
    alloop("report", campaign.path)
    assert "from the literature" in (campaign.path / "report.html").read_text("utf-8")
    assert "follow again" in alloop("replay", campaign.path, 2)
