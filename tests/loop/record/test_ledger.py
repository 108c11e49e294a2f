import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloop.errors import LedgerError, RunError
from alloop.loop.record.events import FORMAT, Event, ModelFitted, SessionClosed, SessionOpened
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.ledger_file import LEDGER, LOCK

MakeEvents = Callable[..., list[Event]]


def write(run: Path, events: list[Event]) -> None:
    with Ledger.open(run, writable=True) as ledger:
        for event in events:
            ledger.append(event)


def read(run: Path) -> list[Event]:
    with Ledger.open(run, writable=False) as ledger:
        return [entry.event for entry in ledger.entries()]


def contents(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}


def fitted(loss: float) -> ModelFitted:
    return ModelFitted(
        round=1,
        checkpoint="a" * 64,
        n_labelled=1,
        n_unlabelled=0,
        epochs=1,
        seconds=0.0,
        metrics={"loss": loss},
    )


def test_every_kind_of_event_is_read_as_it_was_written(run: Path, make_events: MakeEvents) -> None:
    write(run, make_events())
    assert read(run) == make_events()


@settings(max_examples=25, deadline=None)  # each one waits for the disk
@given(
    reasons=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    loss=st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_text_and_any_number_come_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, reasons: list[str], loss: float
) -> None:
    run = tmp_path_factory.mktemp("runs") / "run"
    events: list[Event] = [*(SessionClosed(reason=reason) for reason in reasons), fitted(loss)]
    write(run, events)
    assert read(run) == events


def test_append_returns_what_will_be_read(run: Path, make_events: MakeEvents) -> None:
    with Ledger.open(run, writable=True) as ledger:
        entries = [ledger.append(event) for event in make_events()]
        assert list(ledger.entries()) == entries
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


def test_each_entry_carries_the_hash_of_the_one_before(run: Path, make_events: MakeEvents) -> None:
    with Ledger.open(run, writable=True) as ledger:
        assert ledger.head() == "0" * 64
        previous = "0" * 64
        for event in make_events():
            entry = ledger.append(event)
            assert entry.previous == previous
            # The rule of loop/records.py, written out without this package.
            content = {
                "seq": entry.seq,
                "time": entry.time,
                "event": event.model_dump(mode="json"),
                "previous": previous,
            }
            text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert entry.hash == hashlib.sha256(text.encode()).hexdigest() == ledger.head()
            previous = entry.hash


def test_the_chain_goes_on_where_the_last_controller_left_it(run: Path) -> None:
    write(run, [SessionOpened()])
    with Ledger.open(run, writable=True) as ledger:
        head = ledger.head()
        entry = ledger.append(SessionOpened())
    assert (entry.seq, entry.previous) == (2, head)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_refused_and_nothing_is_added(
    run: Path, value: float
) -> None:
    with Ledger.open(run, writable=True) as ledger:
        with pytest.raises(LedgerError, match="model_fitted event cannot be written down"):
            ledger.append(fitted(value))
        assert ledger.append(SessionOpened()).seq == 1


def test_text_that_is_no_text_is_refused_and_nothing_is_added(run: Path) -> None:
    with Ledger.open(run, writable=True) as ledger:
        with pytest.raises(LedgerError, match="cannot be written down"):
            ledger.append(SessionClosed(reason="\udcff"))
        assert ledger.append(SessionOpened()).seq == 1


def test_an_append_is_one_statement_however_long_the_ledger(run: Path) -> None:
    statements: list[str] = []
    with Ledger.open(run, writable=True) as ledger:
        for _ in range(5):
            ledger.append(SessionOpened())
        ledger._connection.set_trace_callback(statements.append)
        ledger.append(SessionOpened())
    assert [statement.split()[0] for statement in statements] == ["INSERT"]


def test_events_added_together_are_all_there_or_none(run: Path) -> None:
    statements: list[str] = []
    with Ledger.open(run, writable=True) as ledger:
        ledger.append(SessionOpened())
        ledger._connection.set_trace_callback(statements.append)
        added = ledger.append_together([fitted(1.0), SessionOpened(), fitted(2.0)])
        assert [entry.seq for entry in added] == [2, 3, 4]
        assert [statement.split()[0] for statement in statements] == ["INSERT"]
        with pytest.raises(LedgerError):
            ledger.append_together([fitted(3.0), fitted(float("nan"))])
        assert ledger.append_together([]) == ()
        assert ledger.append(SessionOpened()).seq == 5
    assert read(run) == [
        SessionOpened(),
        fitted(1.0),
        SessionOpened(),
        fitted(2.0),
        SessionOpened(),
    ]


def test_events_are_on_disk_before_append_returns(run: Path) -> None:
    with Ledger.open(run, writable=True) as ledger:
        query = ledger._connection.execute
        assert query("PRAGMA journal_mode").fetchone() == ("wal",)
        assert query("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_what_was_appended_survives_a_kill(run: Path) -> None:
    code = """
import sys
from pathlib import Path
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.events import SessionOpened
ledger = Ledger.open(Path(sys.argv[1]), writable=True)
while True:
    print(ledger.append(SessionOpened()).hash, flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(run)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        seen = [writer.stdout.readline().strip() for _ in range(20)]
        writer.kill()
        seen += writer.stdout.read().split()
    # The lock of the dead is free at once.
    with Ledger.open(run, writable=True) as ledger:
        hashes = [entry.hash for entry in ledger.entries()]
        assert hashes[: len(seen)] == seen
        assert len(hashes) <= len(seen) + 1  # one may have been written and not printed
        assert ledger.append(SessionOpened()).previous == hashes[-1]


def test_a_second_controller_is_refused_at_once(run: Path) -> None:
    with Ledger.open(run, writable=True) as ledger:
        ledger.append(SessionOpened())
        with pytest.raises(RunError, match=r"being run by another controller.*alloop status"):
            Ledger.open(run, writable=True)
        assert ledger.append(SessionOpened()).seq == 2
    Ledger.open(run, writable=True).close()


def test_a_process_that_the_controller_started_does_not_keep_the_lock(run: Path) -> None:
    with Ledger.open(run, writable=True):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        Ledger.open(run, writable=True).close()
    finally:
        child.kill()
        child.wait()


def test_readers_see_what_is_written_while_they_read(run: Path) -> None:
    with Ledger.open(run, writable=True) as writer:
        writer.append(SessionOpened())
        with Ledger.open(run, writable=False) as reader:
            assert reader.head() == writer.head()
            for _ in range(3):
                writer.append(SessionOpened())
            assert reader.head() == writer.head()
            assert len(list(reader.entries())) == 4


def test_an_unfinished_reading_does_not_stand_in_the_way_of_writing(run: Path) -> None:
    with Ledger.open(run, writable=True) as ledger:
        ledger.append(SessionOpened())
        entries = ledger.entries()
        next(entries)
        assert ledger.append(SessionOpened()).seq == 2


def test_a_reader_cannot_write(run: Path) -> None:
    write(run, [SessionOpened()])
    with Ledger.open(run, writable=False) as reader, pytest.raises(RunError, match="reading only"):
        reader.append(SessionOpened())


def test_more_than_one_page_is_read_in_order(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alloop.loop.record.ledger._PAGE", 3)
    for n in (2, 3, 6, 7):
        write(run / str(n), [SessionClosed(reason=str(i)) for i in range(n)])
        assert [event.reason for event in read(run / str(n))] == [str(i) for i in range(n)]


def test_a_run_on_a_read_only_medium_can_be_read(
    run: Path, make_events: MakeEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(run, make_events())
    before = contents(run)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert read(run) == make_events()
    assert contents(run) == before


def test_a_row_that_is_no_event_is_named(run: Path) -> None:
    write(run, [SessionOpened()] * 3)
    for text in ("{not json", '{"kind":"poem"}', "\udcff"):
        with sqlite3.connect(run / LEDGER) as database:
            raw = text.encode("utf-8", "surrogateescape")
            database.execute("UPDATE events SET event = CAST(? AS TEXT) WHERE seq = 2", (raw,))
        database.close()
        with pytest.raises(LedgerError, match="entry 2 is not an event"):
            read(run)


def test_a_ledger_without_its_table_is_damaged(run: Path) -> None:
    write(run, [SessionOpened()])
    with sqlite3.connect(run / LEDGER) as database:
        database.execute("DROP TABLE events")
    database.close()
    with pytest.raises(LedgerError, match="no such table"):
        read(run)


def test_a_full_disk_loses_nothing_that_was_written(run: Path) -> None:
    with Ledger.open(run, writable=True) as ledger:
        ledger.append(SessionOpened())
        ledger._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(RunError, match=r"database or disk is full.*Make room"):
            ledger.append(SessionClosed(reason="x" * 20_000))
        ledger._connection.execute("PRAGMA max_page_count = 1000000")
        assert ledger.append(SessionOpened()).seq == 2
    assert read(run) == [SessionOpened(), SessionOpened()]


def test_a_controller_that_died_while_it_made_the_ledger_is_no_obstacle(run: Path) -> None:
    run.mkdir()
    (run / LEDGER).touch()
    (run / LOCK).touch()
    write(run, [SessionOpened()])
    assert read(run) == [SessionOpened()]


def make_foreign_database(run: Path) -> None:
    run.mkdir()
    with sqlite3.connect(run / LEDGER) as database:
        database.execute("CREATE TABLE events (a)")
    database.close()


def make_other_file(run: Path) -> None:
    run.mkdir()
    (run / LEDGER).write_text("a diary")


def make_other_folder(run: Path) -> None:
    run.mkdir()
    (run / "thesis.tex").write_text("42")


def make_folder_in_its_place(run: Path) -> None:
    (run / LEDGER).mkdir(parents=True)


def make_file_in_its_place(run: Path) -> None:
    run.write_text("a file")


def make_later_format(run: Path) -> None:
    write(run, [SessionOpened()])
    with sqlite3.connect(run / LEDGER) as database:
        database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    database.close()


def make_earlier_format(run: Path) -> None:
    write(run, [SessionOpened()])
    with sqlite3.connect(run / LEDGER) as database:
        database.execute("PRAGMA user_version = 1")
    database.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (make_foreign_database, "not written by Alloop.*Choose another"),
        (make_other_file, "not written by Alloop.*Choose another"),
        (make_other_folder, "other files .thesis.tex. and no campaign.*Choose a new"),
        (make_folder_in_its_place, "cannot be read.*Choose another"),
        (make_file_in_its_place, "cannot be read.*Choose another"),
        (make_later_format, "newer version of Alloop.*Update"),
        (make_earlier_format, "older version of Alloop.*Install Alloop 0.1 to read and continue"),
    ],
)
def test_what_is_not_ours_is_refused_and_left_as_it_was(
    run: Path, make: Callable[[Path], None], message: str
) -> None:
    make(run)
    before = contents(run) if run.is_dir() else run.read_bytes()
    with pytest.raises(RunError, match=message) as refusal:
        Ledger.open(run, writable=True)
    assert "\n" not in str(refusal.value)
    assert before == (contents(run) if run.is_dir() else run.read_bytes())
    with pytest.raises(RunError):
        Ledger.open(run, writable=False)


def test_where_no_folder_can_be_made_the_user_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        Ledger.open(Path("/proc/no/run"), writable=True)
    with pytest.raises(RunError, match=r"there is no campaign here.*alloop launch"):
        Ledger.open(tmp_path / "nowhere", writable=False)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(run: Path) -> None:
    run.mkdir(mode=0o500)
    with pytest.raises(RunError, match="cannot be locked"):
        Ledger.open(run, writable=True)
    assert not list(run.iterdir())


def test_a_stopped_controller_still_holds_its_run(run: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from alloop.loop.record.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]), writable=True)
print("open", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(run)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.send_signal(signal.SIGSTOP)
        with pytest.raises(RunError, match="another controller"):
            Ledger.open(run, writable=True)
        other.kill()
    Ledger.open(run, writable=True).close()
