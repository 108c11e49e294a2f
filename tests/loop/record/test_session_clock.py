import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alloop.loop.record import session_clock
from alloop.loop.record.events import SessionClosed, SessionOpened
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.session_clock import SessionClock


def test_it_tells_the_time() -> None:
    assert abs(SessionClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("jump", [timedelta(days=400), -timedelta(days=400)])
def test_a_clock_that_jumps_during_a_session_changes_no_event_s_time(
    run: Path, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    class Jumped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + jump

    with Ledger.open(run, writable=True) as ledger:
        first = ledger.append(SessionOpened())
        monkeypatch.setattr(session_clock, "datetime", Jumped)
        second = ledger.append(SessionClosed(reason="done"))
    passed = datetime.fromisoformat(second.time) - datetime.fromisoformat(first.time)
    assert timedelta(0) <= passed < timedelta(minutes=1)


def test_it_goes_on_with_the_time_that_passes() -> None:
    clock = SessionClock()
    before = clock.now()
    time.sleep(0.05)
    assert timedelta(seconds=0.05) <= clock.now() - before < timedelta(seconds=30)
