"""What was measured, by the witness's notes, against what the ledger has."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from alloop.loop.measure.spool import attempt_id, attempt_of
from alloop.loop.record.events import AttemptFailed, Event, Measured, SelfTested

SELF_TEST = "selftest"
"""Beginning of the spool's name for the self-test of a tier, whose number follows."""


@dataclass(frozen=True)
class Account:
    """Account of one campaign's measurements."""

    written: int
    """Measurements that workers finished and wrote into the spool."""
    begun_in_vain: int
    """Times that a worker turned to a measurement and did not finish it: it was killed, or found it
    finished."""
    lost: int
    """Finished measurements that the ledger does not have, or has as a failed attempt."""
    measured_twice: int
    """Measurements finished again although they had been finished before, and evaluations that the
    ledger has twice."""


def account(notes: Iterable[str], events: Iterable[Event]) -> Account:
    """Compare the witness's notes with a ledger.

    Args:
        notes: lines of ``witness.sitecustomize``.
        events: of the ledger.
    """
    events, said = tuple(events), [line.split() for line in notes]
    written = Counter(attempt for kind, attempt, *_ in said if kind == "written")
    n_begun = sum(kind == "begun" for kind, *_ in said)
    known = Counter(e.evaluation for e in events if isinstance(e, Measured))
    known += Counter(f"{SELF_TEST}{e.tier}" for e in events if isinstance(e, SelfTested))
    failed = {attempt_id(e.evaluation, e.attempt) for e in events if isinstance(e, AttemptFailed)}
    finished = Counter[str]()
    for attempt, n in written.items():
        finished[attempt_of(attempt)[0]] += n
    return Account(
        written=written.total(),
        begun_in_vain=n_begun - written.total(),
        lost=len(finished.keys() - known.keys()) + len(written.keys() & failed),
        measured_twice=sum(n - 1 for n in (*finished.values(), *known.values())),
    )
