"""The clock that events are dated by: set once a session, and never moved by who sets clocks."""

import time
from datetime import UTC, datetime, timedelta

_RUNNING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Clock that nobody sets; on Linux it goes on while the machine sleeps, as the world's does."""


class SessionClock:
    """Date and time at its making, and since then the time that has really passed.

    A clock that is set, or jumps, during a session would otherwise spend a campaign's wall time at
    once, or give it back.
    """

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._running = time.clock_gettime(_RUNNING)

    def now(self) -> datetime:
        """Return the time: UTC."""
        passed = time.clock_gettime(_RUNNING) - self._running
        return self._began + timedelta(seconds=passed)
