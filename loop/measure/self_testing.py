"""Self-tests of the tiers' oracles, in their workers, before they measure anything."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from alloop.canonical import canonical_json
from alloop.errors import RunError
from alloop.loop.measure.dispatch import Task, measure_all
from alloop.loop.measure.execution import MeasuringPool
from alloop.loop.measure.spool import Spool
from alloop.loop.record.events import SelfTested
from alloop.loop.state.campaign_state import CampaignState
from alloop.oracles.base import Measurement, Oracle
from alloop.oracles.self_test import CanSelfTest

SELF_TEST = "self_test"
"""Key of a task's payload that asks for a self-test."""


def untested_tiers(
    state: CampaignState, oracles: Sequence[Oracle], tiers: Iterable[int]
) -> tuple[int, ...]:
    """Return those of the tiers whose oracle can test itself and has not done so in this run."""
    return tuple(
        tier
        for tier in sorted(set(tiers) - state.self_tests.keys())
        if isinstance(oracles[tier], CanSelfTest)
    )


def self_test(
    pool: MeasuringPool,
    spool: Spool,
    tiers: Sequence[int],
    *,
    is_stopping: Callable[[], bool],
) -> Iterator[SelfTested]:
    """Yield the event of each tier's self-test.

    Raises:
        RunError: if an oracle fails its test.
    """
    payload = canonical_json({SELF_TEST: True})
    waiting = deque(Task(f"selftest{tier}", tier, lambda: payload) for tier in tiers)
    for task, found in measure_all(
        pool, waiting, limits=[1] * (1 + max(tiers)), is_stopping=is_stopping
    ):
        spool.forget(task.id)
        if found.failure is not None:
            raise RunError(
                f"tier {task.tier} ({found.oracle}) failed its self-test: {found.failure.message}",
                remedy="Correct the tier's settings or installation, then `alloop resume`.",
            )
        yield _event(task.tier, found)


def _event(tier: int, found: Measurement) -> SelfTested:
    return SelfTested(
        tier=tier,
        oracle=found.oracle,
        fingerprint=found.fingerprint,
        properties=dict(found.properties),
        remarks=dict(found.remarks),
        seconds=found.cost.wall_seconds,
        facts=dict(found.document or {}),
    )
