"""What commands print: whatever it holds, data is text; lists are whole, in every format."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alloop.canonical import sha256
from alloop.files.visible_text import visible
from alloop.loop.commands.printing.formats import Format, print_list
from alloop.loop.commands.printing.ids import digits_needed
from alloop.loop.record.events import (
    CampaignClosed,
    Decision,
    Lineage,
    Measured,
    Proposed,
    Stage,
)
from alloop.loop.record.ledger import Ledger
from alloop.loop.state.campaign_state import evaluation_id
from alloop.oracles.base import FailureKind, Status
from tests.loop.told import FINGERPRINTS, Told
from tests.typed import Typed, typed_at

NASTY = "[/x] [f2fe9a] \x1b[31mred\x1b[0m\nsecond line \u202e=cmd"
"""Markup that closes nothing, markup that is an id, a terminal's escapes, a right-to-left mark."""
SHOWN = r"[/x] [f2fe9a] \x1b[31mred\x1b[0m\nsecond line \u202e=cmd"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typed_at(80, monkeypatch, capsys)


def nasty_decision(name: str, *, chosen: bool = True) -> Decision:
    return Decision(
        candidate=sha256(name),
        formula=name,
        chosen=chosen,
        rule=None if chosen else "duplicate",
        reason=NASTY,
        lineage=Lineage(source="random"),
    )


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose every text is an attack on the terminal, in two rounds."""
    story = Told()
    story.measure(0, Stage.INITIAL, {"NiFe": (180.0, 0.05), "Ni3Fe": (190.0, 0.02)})
    decisions = (nasty_decision("Ni5Fe"), nasty_decision("Ni7Fe", chosen=False))
    story.events += [
        Proposed(round=1, stage=Stage.ACQUISITION, decisions=decisions),
        Measured(
            evaluation=evaluation_id(sha256("Ni5Fe"), FINGERPRINTS[0]),
            candidate=sha256("Ni5Fe"),
            round=1,
            stage=Stage.ACQUISITION,
            tier=0,
            status=Status.FAILED,
            properties={},
            failure_kind=FailureKind.ERROR,
            failure_message=NASTY,
            oracle=NASTY,
            fingerprint=FINGERPRINTS[0],
        ),
        CampaignClosed(reason=NASTY),
    ]
    run = tmp_path_factory.mktemp("nasty") / "run"
    with Ledger.open(run, writable=True) as ledger:
        ledger.append_together(story.events)
    return run


def test_control_characters_become_visible() -> None:
    assert visible(NASTY) == SHOWN
    assert visible("µW/(cm K²) – 3 Å") == "µW/(cm K²) – 3 Å"


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("command", [["status"], ["audit"], ["explain", sha256("Ni5Fe")[:12]]])
def test_texts_from_a_ledger_are_no_markup_and_reach_no_terminal(
    typed: Typed, nasty: Path, command: list[str], format: Format
) -> None:
    name, *rest = command
    code, out, err = typed(name, nasty, *rest, "--format", format.value)
    assert code == 0
    assert all(c.isprintable() or c in "\r\n" for c in out + err)
    match format:
        case Format.JSON:
            assert NASTY in _texts(json.loads(out))
        case Format.CSV if name != "status":  # which lists who is waited for
            assert SHOWN in out
        case Format.TABLE:  # its cells are folded
            assert "[/x]" in out
            assert "f2fe9a" in out


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def test_an_explanation_shows_every_letter(typed: Typed, nasty: Path) -> None:
    _, out, _ = typed("explain", nasty, sha256("Ni5Fe")[:12])
    assert f"chosen: {SHOWN}" in out
    assert f"failed, missing: error: {SHOWN}" in out
    assert sha256("Ni5Fe") in out


def test_an_audit_shows_whole_ids_on_a_narrow_screen(typed: Typed, nasty: Path) -> None:
    _, out, _ = typed("audit", nasty)
    for name in ("NiFe", "Ni3Fe", "Ni5Fe", "Ni7Fe"):
        assert sha256(name)[:12] in out
    assert "…" not in out


def test_rows_of_an_audit(typed: Typed, nasty: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(typed("audit", nasty, "--format", "csv")[1])))
    assert [row["formula"] for row in rows] == ["NiFe", "Ni3Fe", "Ni5Fe", "Ni7Fe"]
    assert float(rows[0]["bulk_modulus"]) == 180.0
    one = typed("audit", nasty, "--candidate", sha256("Ni7Fe")[:10], "--format", "json")[1]
    assert [row["rule"] for row in json.loads(one)] == ["duplicate"]


def test_an_empty_audit_says_which_rounds_there_are(typed: Typed, nasty: Path) -> None:
    code, out, _ = typed("audit", nasty, "--round", "99")
    assert (code, out) == (0, "round 99 never began; the run has rounds 0–1\n")
    code, out, err = typed("audit", nasty, "--round", "99", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "rounds 0–1" in err
    first = sha256("NiFe")[:10]
    _, out, _ = typed("audit", nasty, "--round", "1", "--candidate", first)
    assert "in round 1" in out
    assert out.rstrip().endswith("are in rounds 0")


def test_an_id_that_is_nobodys(typed: Typed, nasty: Path) -> None:
    code, _, err = typed("explain", nasty, "[/x]")
    assert code == 2
    assert "no candidate with an id that begins with '[/x]'" in err


def test_nothing_corrected_and_nobody_waited_for(typed: Typed, nasty: Path) -> None:
    assert typed("corrections", nasty)[1] == "no value was ever corrected\n"
    assert typed("corrections", nasty, "--format", "json")[1:] == (
        "[]\n",
        "no value was ever corrected\n",
    )
    assert typed("status", nasty, "--format", "csv")[1:] == ("", "nobody is waited for\n")


def test_potentials_that_there_are_not(typed: Typed) -> None:
    code, out, _ = typed("potentials", "Ti", "Al")
    assert code == 0
    assert "covers Ti;" in out  # of which none is known, while Al has some
    code, _, err = typed("potentials", "Xx")
    assert code == 2
    assert "Xx is no chemical element" in err


@pytest.mark.parametrize("command", [["campaigns"], ["potentials"], ["kinds"], ["data", "list"]])
def test_lists_agree_in_every_format(typed: Typed, command: list[str]) -> None:
    table = typed(*command)[1]
    rows = json.loads(typed(*command, "--format", "json")[1])
    lines = list(csv.DictReader(io.StringIO(typed(*command, "--format", "csv")[1])))
    name = next(iter(rows[0]))
    assert [row[name] for row in rows] == [line[name] for line in lines]
    assert all(row[name] in table for row in rows), "a name is never cut"


def test_a_cell_is_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"reason": "=HYPERLINK(1)", "value": -1.5}, {"reason": "@x", "value": 2}]
    print_list(rows, Format.CSV, empty="")
    out = capsys.readouterr().out
    assert out.splitlines() == ["reason,value", "'=HYPERLINK(1),-1.5", "'@x,2"]


def test_ids_get_the_digits_that_tell_them_apart() -> None:
    assert digits_needed([]) == digits_needed(["a" * 64]) == 12
    assert digits_needed(["a" * 64, "a" * 20 + "b" * 44, "c" * 64]) == 21


@pytest.mark.parametrize(
    ("typed_so_far", "expected"),
    [
        ("alloop expl", "explain"),
        ("alloop launch nifecr-b", "nifecr-bulk-modulus"),
        ("alloop check min", "mine.yaml"),
        ("alloop status ru", "runs/first"),
        ("alloop data fetch perov", "perov-5"),
    ],
)
def test_shells_complete(typed_so_far: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "runs" / "first").mkdir(parents=True)
    (tmp_path / "runs" / "first" / "ledger.sqlite").touch()
    done = subprocess.run(
        [sys.executable, "-c", "from alloop.loop.commands.app import main; main()"],
        env=os.environ
        | {
            "_ALLOOP_COMPLETE": "complete_bash",
            "COMP_WORDS": typed_so_far,
            "COMP_CWORD": str(len(typed_so_far.split()) - 1),
            "PYTHONPATH": str(Path(__file__).parents[3]),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == [expected]


def test_every_command_says_what_it_does_with_an_example(typed: Typed) -> None:
    _, out, _ = typed("--help")
    listed = out.split("Commands:")[1].split("\n\n")[0].strip().splitlines()
    assert len(listed) > 15
    assert not any("..." in line for line in listed), "a summary is cut"
    for line in listed:
        name, summary = line.split(maxsplit=1)
        assert summary.strip()
        assert name == "data" or "Example: alloop" in typed(name, "--help")[1]
