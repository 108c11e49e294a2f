"""A run is followed as it grows, and one that is not the same any more is told."""

import shutil
from pathlib import Path

import pytest

from alloop.errors import AlloopError
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.run_folder import RunFolder
from alloop.loop.serve.following import FollowedRun
from alloop.loop.serve.watch import mark_of
from tests.loop.report.synthetic import Diary


def write(folder: Path, diary: Diary, n_from: int = 0, n_to: int | None = None) -> Path:
    """Append some of a diary's events to a run folder."""
    with Ledger.open(folder, writable=True) as ledger:
        for each in diary.entries[n_from:n_to]:
            ledger.append(each.event)
    return folder


def test_what_is_read_in_parts_is_what_is_read_at_once(closed: Diary, tmp_path: Path) -> None:
    run = tmp_path / "run"
    n = len(closed.entries)
    followed = FollowedRun(run)
    for begin, end in [(0, 1), (1, n // 2), (n // 2, n // 2), (n // 2, n)]:
        write(run, closed, begin, end)
        state, head = followed.read()
        whole = RunFolder.read(run)
        assert head == whole.head
        assert state == whole.state
    followed.rest()
    assert followed.read() == (whole.state, whole.head)
    assert followed.notice == ""


def test_a_run_that_was_replaced_is_told(closed: Diary, tmp_path: Path) -> None:
    run = write(tmp_path / "run", closed)
    followed = FollowedRun(run)
    followed.read()
    shutil.rmtree(run)
    with pytest.raises(AlloopError, match="there is no campaign here"):
        followed.read()
    write(run, closed, 0, 5)  # the same events at another time are another run
    state, head = followed.read()
    assert (state, head) == (RunFolder.read(run).state, RunFolder.read(run).head)
    assert "was replaced while it was served" in followed.notice


def test_a_ledger_that_was_cut_is_told_with_what_was_seen(closed: Diary, tmp_path: Path) -> None:
    run = write(tmp_path / "run", closed, 0, 10)
    kept = shutil.copytree(run, tmp_path / "kept")
    write(run, closed, 10, 20)
    followed = FollowedRun(run)
    _, head = followed.read()
    shutil.rmtree(run)
    shutil.copytree(kept, run)
    followed.rest()
    followed.read()
    assert "Entry 20 " in followed.notice
    assert head in followed.notice


def test_a_damaged_ledger_is_an_error_each_time(closed: Diary, tmp_path: Path) -> None:
    run = write(tmp_path / "run", closed, 0, 5)
    followed = FollowedRun(run)
    followed.read()
    content = (run / LEDGER).read_bytes()
    (run / LEDGER).write_bytes(content.replace(b"synthetic", b"sYnthetic"))
    followed.rest()
    for _ in range(2):
        with pytest.raises(AlloopError, match="damaged"):
            followed.read()


def test_a_mark_changes_with_an_event_and_not_by_reading(closed: Diary, tmp_path: Path) -> None:
    run = write(tmp_path / "run", closed, 0, 5)
    before = mark_of(run)
    FollowedRun(run).read()
    assert mark_of(run) == before
    with Ledger.open(run, writable=True) as ledger:
        held = mark_of(run)
        assert held != before, "somebody works on it"
        ledger.append(closed.entries[5].event)
        assert mark_of(run) != held
