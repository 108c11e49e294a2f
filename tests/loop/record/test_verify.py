import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alloop.errors import RunError
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Event, Measured, Proposed, SessionOpened
from alloop.loop.record.hash_chain import entry_hash
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.record.verification import digest, verify
from alloop.oracles.base import Status

MakeEvents = Callable[..., list[Event]]
N_EVENTS = 12


@pytest.fixture
def recorded(run: Path, make_events: MakeEvents) -> Path:
    """A run of nine events; the third names the first artifact, the fourth all of them."""
    with Ledger.open(run, writable=True) as ledger:
        for event in make_events(artifacts(run)):
            ledger.append(event)
    return run


def artifacts(run: Path) -> tuple[str, ...]:
    store = ArtifactStore(run / "artifacts")
    return tuple(store.put_many([b"checkpoint", b"latents", b"first", b"second"]))


@contextmanager
def tampering(run: Path) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(run / LEDGER) as database:
        yield database
    database.close()


def append(run: Path, event: Event) -> str:
    with Ledger.open(run, writable=True) as ledger:
        return ledger.append(event).hash


def rechain(database: sqlite3.Connection, seq: int) -> None:
    """Make the hashes fit again from an entry on, as a careful forger would."""
    query = "SELECT seq, time, event FROM events WHERE seq >= ? ORDER BY seq"
    for number, time, event in database.execute(query, (seq,)).fetchall():
        (previous,) = database.execute(
            "SELECT hash FROM events WHERE seq = ?", (number - 1,)
        ).fetchone()
        hash = entry_hash(number, time, event, previous)
        database.execute(
            "UPDATE events SET previous = ?, hash = ? WHERE seq = ?", (previous, hash, number)
        )


def test_a_run_that_nobody_touched_is_sound(recorded: Path) -> None:
    result = verify(recorded)
    with Ledger.open(recorded, writable=False) as ledger:
        assert result.head == ledger.head()
    assert result.ok
    assert (result.n_events, result.first_bad, result.problem) == (N_EVENTS, None, "")


def test_an_empty_ledger_is_sound(run: Path) -> None:
    Ledger.open(run, writable=True).close()
    assert verify(run).ok


def test_a_run_can_be_verified_while_it_is_written(recorded: Path) -> None:
    with Ledger.open(recorded, writable=True) as ledger:
        ledger.append(SessionOpened())
        assert verify(recorded, head=ledger.head()).ok


@pytest.mark.parametrize("seq", range(1, N_EVENTS + 1))
def test_an_edited_event_is_named(recorded: Path, seq: int) -> None:
    with tampering(recorded) as database:
        database.execute("UPDATE events SET event = event || ' ' WHERE seq = ?", (seq,))
    result = verify(recorded)
    assert (result.ok, result.first_bad, result.n_events) == (False, seq, N_EVENTS)
    assert result.problem == f"event {seq}: its content does not have its hash: it was changed"


def test_a_changed_value_is_found(recorded: Path) -> None:
    with tampering(recorded) as database:
        database.execute("UPDATE events SET event = replace(event, '181.25', '191.25')")
    assert verify(recorded).first_bad == 6


@pytest.mark.parametrize("column", ["time", "previous", "hash"])
def test_every_column_counts(recorded: Path, column: str) -> None:
    with tampering(recorded) as database:
        database.execute(f"UPDATE events SET {column} = 'x' WHERE seq = 4")
    assert verify(recorded).first_bad == 4


def test_bytes_that_are_no_text_are_found(recorded: Path) -> None:
    with tampering(recorded) as database:
        database.execute(
            "UPDATE events SET event = CAST(CAST(event AS BLOB) || x'ff' AS TEXT) WHERE seq = 6"
        )
    assert verify(recorded).first_bad == 6


@pytest.mark.parametrize("seq", range(1, N_EVENTS))
def test_a_dropped_event_is_named(recorded: Path, seq: int) -> None:
    with tampering(recorded) as database:
        database.execute("DELETE FROM events WHERE seq = ?", (seq,))
    result = verify(recorded)
    assert (result.ok, result.first_bad, result.n_events) == (False, seq, N_EVENTS - 1)


@pytest.mark.parametrize("seq", range(1, N_EVENTS))
def test_a_dropped_event_whose_gap_was_closed_is_named(recorded: Path, seq: int) -> None:
    with tampering(recorded) as database:
        database.execute("DELETE FROM events WHERE seq = ?", (seq,))
        for later in range(seq + 1, N_EVENTS + 1):
            database.execute("UPDATE events SET seq = ? WHERE seq = ?", (later - 1, later))
    assert verify(recorded).first_bad == seq


@pytest.mark.parametrize(("first", "second"), [(1, 2), (3, 4), (2, 7)])
def test_reordered_events_are_named(recorded: Path, first: int, second: int) -> None:
    with tampering(recorded) as database:
        for old, new in ((first, 99), (second, first), (99, second)):
            database.execute("UPDATE events SET seq = ? WHERE seq = ?", (new, old))
    assert verify(recorded).first_bad == first


@pytest.mark.parametrize("seq", [0, -3, 4, N_EVENTS + 1])
def test_an_inserted_event_is_named(recorded: Path, seq: int) -> None:
    with tampering(recorded) as database:
        for later in range(N_EVENTS, seq - 1, -1) if seq > 0 else ():
            database.execute("UPDATE events SET seq = ? WHERE seq = ?", (later + 1, later))
        database.execute(
            "INSERT INTO events SELECT ?, time, event, previous, hash FROM events WHERE seq = 2",
            (seq,),
        )
    assert verify(recorded).first_bad == seq


def test_a_cut_tail_is_found_by_the_head_that_was_kept(recorded: Path) -> None:
    head = verify(recorded).head
    with tampering(recorded) as database:
        database.execute("DELETE FROM events WHERE seq > 6")
    assert verify(recorded).ok  # nothing inside the run can tell
    result = verify(recorded, head=head)
    assert (result.ok, result.first_bad, result.n_events) == (False, 7, 6)
    assert "the tail was cut off" in result.problem


def test_a_tail_that_was_written_anew_is_found_by_the_head(recorded: Path) -> None:
    head = verify(recorded).head
    with tampering(recorded) as database:
        database.execute("UPDATE events SET event = replace(event, '181.25', '191.25')")
        rechain(database, 5)
    assert verify(recorded).ok
    assert not verify(recorded, head=head).ok


def test_a_run_that_went_on_still_has_its_earlier_head(recorded: Path) -> None:
    head = verify(recorded).head
    append(recorded, SessionOpened())
    assert verify(recorded, head=head).ok


@pytest.mark.parametrize(
    ("content", "seq"), [(b"checkpoint", 3), (b"latents", 4), (b"first", 4), (b"second", 4)]
)
def test_a_changed_or_missing_artifact_is_named(recorded: Path, content: bytes, seq: int) -> None:
    store = ArtifactStore(recorded / "artifacts")
    path = store.path(store.put(content))
    path.write_bytes(content + b"!")
    result = verify(recorded)
    assert (result.ok, result.first_bad) == (False, seq)
    assert f"event {seq}: the artifact {path.name} was changed" in result.problem
    path.unlink()
    result = verify(recorded)
    assert (result.ok, result.first_bad) == (False, seq)
    assert f"the artifact {path.name} cannot be read" in result.problem


def test_the_relaxed_structure_of_a_measurement_is_checked(
    recorded: Path, make_events: MakeEvents
) -> None:
    measured = next(event for event in make_events() if isinstance(event, Measured))
    first, second = artifacts(recorded)[2:]
    lost = measured.model_copy(update={"candidate": first, "relaxed": "0" * 64})
    append(recorded, measured.model_copy(update={"candidate": first, "relaxed": second}))
    append(recorded, lost)
    assert verify(recorded).first_bad == N_EVENTS + 2


def test_the_first_of_several_faults_is_named(recorded: Path) -> None:
    with tampering(recorded) as database:
        database.execute("UPDATE events SET time = 'never' WHERE seq IN (6, 2, 8)")
    assert verify(recorded).first_bad == 2


@pytest.mark.parametrize("event", ["{", "[" * 100_000])
def test_an_entry_that_is_no_json_is_named(recorded: Path, event: str) -> None:
    with tampering(recorded) as database:
        database.execute("UPDATE events SET event = ? WHERE seq = 8", (event,))
        rechain(database, 8)
    assert verify(recorded).first_bad == 8


def test_a_file_that_was_cut_short_is_a_finding(run: Path) -> None:
    whole = fill(run)
    (run / LEDGER).write_bytes(whole[: len(whole) // 2])
    result = verify(run)
    assert (result.ok, result.first_bad) == (False, 1)
    assert "malformed" in result.problem


def test_a_file_with_a_ruined_page_is_a_finding(run: Path) -> None:
    whole = fill(run)
    place = len(whole) // 2
    (run / LEDGER).write_bytes(whole[:place] + bytes([255]) * 4096 + whole[place + 4096 :])
    result = verify(run)
    assert not result.ok
    assert "malformed" in result.problem
    # What can still be read before it is not blamed.
    assert result.first_bad is not None
    assert 1 < result.first_bad <= 201


def fill(run: Path) -> bytes:
    with Ledger.open(run, writable=True) as ledger:
        for _ in range(200):
            ledger.append(SessionOpened())
    return (run / LEDGER).read_bytes()


def test_a_ledger_without_its_table_is_a_finding(recorded: Path) -> None:
    with tampering(recorded) as database:
        database.execute("DROP TABLE events")
    result = verify(recorded)
    assert (result.ok, result.first_bad) == (False, 1)
    assert "no such table" in result.problem


def test_where_there_is_no_run_there_is_nothing_to_verify(run: Path) -> None:
    with pytest.raises(RunError, match="no campaign here"):
        verify(run)


def test_verifying_changes_nothing(recorded: Path) -> None:
    before = (recorded / LEDGER).read_bytes()
    verify(recorded)
    assert (recorded / LEDGER).read_bytes() == before


def test_the_digest_does_not_depend_on_who_was_faster_or_how_often_it_stopped(
    tmp_path: Path, make_events: MakeEvents
) -> None:
    opened, session, fitted, proposed, _, first, second, *_ = make_events()
    assert isinstance(first, Measured)
    assert isinstance(proposed, Proposed)
    slower = first.model_copy(update={"wall_seconds": 9.0, "core_hours": 1.0})
    noted = proposed.model_copy(update={"notes": {"seconds": 99.0}})
    straight = recorded_digest(tmp_path / "a", [opened, session, fitted, proposed, first, second])
    resumed = recorded_digest(
        tmp_path / "b", [opened, session, fitted, noted, second, session, session, slower]
    )
    assert straight == resumed


@pytest.mark.parametrize(
    "change",
    [
        {"properties": {"bulk_modulus": 181.25000000000003}},
        {"candidate": "e" * 64},
        {"evaluation": "e3"},
        {"status": Status.FAILED},
    ],
)
def test_the_digest_depends_on_every_measured_value(
    tmp_path: Path, make_events: MakeEvents, change: dict[str, object]
) -> None:
    events = make_events()
    same = recorded_digest(tmp_path / "a", events)
    place = next(i for i, event in enumerate(events) if isinstance(event, Measured))
    events[place] = events[place].model_copy(update=change)
    assert recorded_digest(tmp_path / "b", events) != same


@pytest.mark.parametrize(
    ("key", "value"),
    [("margin", -0.41), ("chosen", True), ("reason", "?"), ("candidate", "e" * 64)],
)
def test_the_digest_depends_on_every_decision(
    tmp_path: Path, make_events: MakeEvents, key: str, value: object
) -> None:
    events = make_events()
    same = recorded_digest(tmp_path / "a", events)
    proposed = events[3]
    assert isinstance(proposed, Proposed)
    first, second = proposed.decisions
    for decisions in ((first, second.model_copy(update={key: value})), (second, first), (first,)):
        events[3] = proposed.model_copy(update={"decisions": decisions})
        assert recorded_digest(tmp_path / str(len(list(tmp_path.iterdir()))), events) != same


def test_the_digest_depends_on_the_order_of_proposals(
    tmp_path: Path, make_events: MakeEvents
) -> None:
    proposed = make_events()[3]
    later = proposed.model_copy(update={"round": 2})
    assert recorded_digest(tmp_path / "a", [proposed, later]) != recorded_digest(
        tmp_path / "b", [later, proposed]
    )


def recorded_digest(run: Path, events: list[Event]) -> str:
    with Ledger.open(run, writable=True) as ledger:
        for event in events:
            ledger.append(event)
        result = digest(ledger.entries())
    assert len(bytes.fromhex(result)) == 32
    return result
