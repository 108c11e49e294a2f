"""Workers killed at random: nothing is lost, nothing counts twice, memory stays.

The full ten thousand are `make bench-execution`; this is the same, smaller.
"""

import tracemalloc
from pathlib import Path

from alloop.campaigns.load import parse_spec
from alloop.canonical import sha256
from alloop.loop.record.events import EVENT, CampaignOpened, Event, LedgerEntry, Measured, Stage
from alloop.loop.state.folding.fold import Fold, fold
from benchmarks.execution.measure_many import measure_many
from tests.loop import ledger
from tests.loop.ledger import decision, proposed
from tests.loop.small_campaign import SPEC

BYTES_PER_MEASUREMENT = 3000


def test_workers_killed_at_random_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    outcome = measure_many(tmp_path, 60, kill_every=(8, 20), spares_starting=True)
    assert outcome.measurements == 60
    assert (outcome.lost, outcome.twice) == (0, 0)
    assert outcome.workers_killed >= 2


def measured(n: int) -> Measured:
    return ledger.measured(
        0,
        Stage.INITIAL,
        sha256(str(n)),
        {"bulk_modulus": n / 7},
        fingerprint=sha256("fake"),
        relaxed=sha256(f"relaxed {n}"),
    )


def asked_for(count: int) -> Event:
    """Return the proposal of the candidates that are measured."""
    return proposed(0, Stage.INITIAL, [decision(str(n)) for n in range(count)])


def entry(seq: int, event: Event) -> LedgerEntry:
    """Return an entry as it is read back from a ledger."""
    return ledger.entry(seq, EVENT.validate_json(EVENT.dump_json(event)))


def test_a_measurement_leaves_little_in_the_controller() -> None:
    spec = parse_spec(SPEC, where="test").model_dump(mode="json")
    growing = Fold()
    growing.add(entry(1, CampaignOpened(spec=spec, fingerprints=("f",), versions={})))
    growing.add(entry(2, asked_for(1000)))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for n in range(1000):
        growing.add(entry(n + 3, measured(n)))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / 1000 < BYTES_PER_MEASUREMENT


def test_a_state_that_grew_is_the_state_of_all_entries() -> None:
    spec = parse_spec(SPEC, where="test").model_dump(mode="json")
    entries = [entry(1, CampaignOpened(spec=spec, fingerprints=("f",), versions={}))]
    entries.append(entry(2, asked_for(10)))
    entries += [entry(n + 3, measured(n)) for n in range(5)]
    growing = Fold()
    for n, each in enumerate(entries, start=1):
        growing.add(each)
        earlier = growing.state()
        assert earlier == fold(entries[:n])
    assert earlier is not None
    growing.add(entry(8, measured(9)))
    assert len(earlier.recorded) == 5, "a state that was given out does not change"
