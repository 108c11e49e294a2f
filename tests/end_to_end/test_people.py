"""A campaign that people measure, from the command line, and killed while they do."""

import csv
import sys
from pathlib import Path

import pytest
import yaml

from alloop.loop.commands.app import main
from alloop.loop.record.verification import digest, verify
from alloop.loop.run_folder import RunFolder
from tests.end_to_end.controllers import kill_repeatedly, start
from tests.end_to_end.drive_lab import drive

sys.path.insert(0, str(Path(__file__).parents[1] / "loop"))
from lab import SPEC, asked, fill_in, value_of

KILLS = 3


def finish(run: Path) -> RunFolder:
    """Run to the end without interruption."""
    start(drive, run).finish()
    return RunFolder.read(run)


def test_killed_while_people_answer_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    expected = finish(tmp_path / "whole" / "run")
    run = tmp_path / "killed" / "run"
    kill_repeatedly(drive, run, times=KILLS, longest=0.25, at_least=2)
    got = finish(run)
    assert digest(got.entries) == digest(expected.entries)
    assert verify(run, head=got.head).ok
    measured = [e.event for e in got.entries if e.event.kind == "measured"]
    assert len(measured) == len(got.state.evaluations) == 4 + 6 * 3
    assert all(m.properties["bulk_modulus"] == value_of(m.candidate) for m in measured)


def test_what_a_laboratory_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(*words: str | Path, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["alloop", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "200")
        ended = 0
        try:
            main()
        except SystemExit as end:
            ended = int(end.code or 0)
        out, err = capsys.readouterr()
        assert ended == code, err
        return out + err

    spec, run, results = tmp_path / "lab.yaml", tmp_path / "run", tmp_path / "results.csv"
    spec.write_text(yaml.safe_dump(SPEC))
    out = typed("launch", spec, "--run", run)
    assert f"waiting for 4 labels: fill in {run / 'requests.csv'}" in out
    first = asked(run)[0]["candidate"]
    fill_in(run, results)
    assert first in out

    out = typed("label", run, first, "bulk_modulus=12")
    assert "1 answered" in out
    assert "waiting for 3 labels" in out
    out = typed("label", run, first, "bulk_modulus=180")
    assert "bulk_modulus 12, now bulk_modulus 180" in out
    assert "nothing had been decided on the old value" in out

    assert len(asked(run)) == 3, "the sheet asks for what is still to come"
    out = typed("label", run, "--file", results)
    assert "3 answered" in out
    assert "1 corrected" in out, "the file has another value for the first"
    assert "waiting for 3 labels" in out, "the next round has begun in the same command"
    assert "this file was recorded before" in typed("label", run, "--file", results)

    bad = tmp_path / "bad.csv"
    rows = list(csv.reader((run / "requests.csv").read_text().splitlines()))
    rows[2][rows[0].index("bulk_modulus")] = "soft"
    with bad.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    out = typed("label", run, "--file", bad, code=2)
    assert f"{bad}: line 3, column 'bulk_modulus': 'soft' is not a finite number" in out

    out = typed("corrections", run)
    assert out.count("corrected:") == 2
    out = typed("label", run, "--no-resume", "--file", fill_in(run, results))
    assert "3 answered" in out
    assert "round 1 of 2" not in out
    assert "waiting for 3 labels" in typed("resume", run)
    assert "waiting for 3 labels" in typed("status", run)
    assert "give either --file" in typed("label", run, code=2)
    typed("verify", run)
