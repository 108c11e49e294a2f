"""Recording of who had a controller started, stopped, or choose a batch."""

from pathlib import Path
from typing import Literal

from alloop.loop.people.who import checked_reason
from alloop.loop.record.by_hand.candidates import SessionAsked
from alloop.loop.run_folder import open_to_write


def record_session_asked(
    run: Path, asked: Literal["start", "stop", "suggest"], *, who: str, why: str
) -> None:
    """Record that somebody has a controller started or choose a batch, or had one stopped.

    Args:
        run: the run's folder, which no controller works on at this moment.
        asked: which of them.
        who: name of whoever asked.
        why: the reason.

    Raises:
        AlloopError: if there is no reason.
        RunError: if there is no campaign, or a controller is working on it.
    """
    reason = checked_reason(why)
    with open_to_write(run) as (_, ledger):
        ledger.append(SessionAsked(asked=asked, who=who, why=reason))
