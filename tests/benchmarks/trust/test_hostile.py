"""Files of somebody else: nothing in them is run, and nothing outside their folder is changed.

The files are those of ``benchmarks/trust``, every fourth one: each would leave a mark if it were
believed. `python -m benchmarks.trust hostile` tries them all.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.trust.hostile.attempts import Finding, attempt, try_all
from benchmarks.trust.hostile.cases import Hostile, Place, Trial
from benchmarks.trust.hostile.watch import Watch


@pytest.fixture(scope="module")
def findings() -> Iterator[tuple[Finding, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        yield tuple(try_all(Place(Path(folder) / "place"), every=4))


def told(findings: tuple[Finding, ...], what: str) -> list[str]:
    return [f"{each.name}: {line}" for each in findings for line in getattr(each, what)]


def test_there_are_files_of_every_sort(findings: tuple[Finding, ...]) -> None:
    sorts = Counter(each.name.partition(":")[0] for each in findings)
    assert set(sorts) == {"spec", "override", "tier", "settings", "structure", "run"}
    assert sorts.total() >= 30
    assert len({each.name for each in findings}) == sorts.total()


def test_nothing_in_them_is_run(findings: tuple[Finding, ...]) -> None:
    assert told(findings, "executed") == []


def test_nothing_outside_their_folder_is_changed(findings: tuple[Finding, ...]) -> None:
    assert told(findings, "changed") == []


def test_what_is_wrong_is_named(findings: tuple[Finding, ...]) -> None:
    assert told(findings, "unclear") == []


def test_no_command_ends_with_an_exception(findings: tuple[Finding, ...]) -> None:
    assert told(findings, "crashed") == []


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        ("import os; os.system('touch MARK')", "executed"),
        ("import subprocess; subprocess.run(['true'])", "executed"),
        ("import pickle; pickle.loads(PICKLE)", "executed"),
        ("import socket; socket.create_connection(('127.0.0.1', PORT)).close()", "executed"),
        ("import pathlib; pathlib.Path('VICTIM/letter.txt').write_text('x')", "changed"),
        ("import os; os.unlink('VICTIM/sheet.csv')", "changed"),
        ("raise KeyError('x')", "crashed"),
        ("pass", "unclear"),
    ],
)
def test_the_watch_would_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str, what: str
) -> None:
    """What the tests above rely on: harm that a command does is found."""
    place = Place(tmp_path / "place")
    for word, value in (("MARK", place.marker), ("VICTIM", place.victim), ("PORT", place.port)):
        harm = harm.replace(word, str(value))
    harm = harm.replace("PICKLE", repr(place.pickle()))
    monkeypatch.setattr("benchmarks.trust.hostile.attempts.main", lambda: exec(harm))
    hostile = Hostile("control", (Trial(("check", "x"), "no such words"),))
    with closing(place):
        found = attempt(hostile, place, Watch())
    assert getattr(found, what)
    assert bool(found.executed) == (what == "executed")
    assert bool(found.changed) == (what == "changed")
