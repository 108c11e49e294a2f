"""Self-tests of the tiers' oracles, in their workers, before they measure anything."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from alloop.canonical import canonical_json
from alloop.errors import RunError
from alloop.loop.measure.dispatch import Task, measure_all
from alloop.loop.measure.execution import MeasuringPool
from alloop.loop.measure.spool import Spool, attempt_id, attempt_of
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


def self_test_id(tier: int) -> str:
    """Return what a tier's self-test is called in the spool."""
    return f"selftest{tier}"


def self_test(
    pool: MeasuringPool,
    spool: Spool,
    tiers: Sequence[int],
    *,
    attempts: Sequence[int],
    is_stopping: Callable[[], bool],
) -> Iterator[SelfTested]:
    """Yield the event of each tier's self-test; one that the machine failed is tried again.

    A session that was killed leaves no event of its attempts: the next one goes on with the latest,
    which may be finished.

    Args:
        pool: measures.
        spool: of the run.
        tiers: to be tested.
        attempts: largest number of attempts, by tier.
        is_stopping: when true nothing more is begun.

    Raises:
        RunError: if an oracle fails its test.
    """
    payload = canonical_json({SELF_TEST: True})

    def task_of(tier: int, attempt: int) -> Task:
        return Task(attempt_id(self_test_id(tier), attempt), tier, lambda: payload)

    waiting = deque(task_of(tier, spool.latest_attempt(self_test_id(tier))) for tier in tiers)
    for task, found in measure_all(
        pool, waiting, limits=[1] * (1 + max(tiers)), is_stopping=is_stopping
    ):
        if found.failure is None:
            yield _event(task.tier, found)
            for each in range(1, attempt_of(task.id)[1] + 1):
                spool.forget(attempt_id(self_test_id(task.tier), each))
            continue
        spool.forget(task.id)
        _, attempt = attempt_of(task.id)
        if not found.failure.retryable or attempt >= attempts[task.tier]:
            why = found.failure.message.removesuffix(".")
            raise RunError(
                f"tier {task.tier} ({found.oracle}) failed its self-test: {why}",
                remedy="Correct the tier's settings or installation, then `alloop resume`.",
            )
        waiting.append(task_of(task.tier, attempt + 1))


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
