"""Many measurements through a pool: a bounded number under way, answers as they come."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass

from distributed import KilledWorker

from alloop.errors import RunError
from alloop.loop.measure.execution import MeasuringPool
from alloop.oracles.base import Measurement

LOOK = 1.0
"""Seconds between looks whether to stop, and at the workers."""


@dataclass(frozen=True)
class Task:
    """A measurement to be made."""

    id: str
    """Id of the task in the spool."""
    tier: int
    payload: Callable[[], str]
    """Function that returns the task's payload when its turn has come; see
    ``choose.augmentation.task_payload``."""


def measure_all(
    pool: MeasuringPool,
    waiting: deque[Task],
    *,
    limits: Sequence[int],
    is_stopping: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Task, Measurement]]:
    """Yield each task with its answer, in the order of arrival.

    Args:
        pool: measures.
        waiting: emptied from the left; more may be added meanwhile, such as what is tried again.
        limits: how many may be under way at once, per tier.
        is_stopping: when true nothing more is begun; what is under way is still yielded.

    Raises:
        RunError: if an oracle cannot work at all, or the workers' scheduler is gone or
            brings none.
    """
    running: dict[Future[Measurement], Task] = {}
    under_way: Counter[int] = Counter()
    while True:
        while waiting and under_way[waiting[0].tier] < limits[waiting[0].tier]:
            if is_stopping():
                break
            task = waiting.popleft()
            running[pool.submit(task.id, task.tier, task.payload())] = task
            under_way[task.tier] += 1
        if not running:
            return
        finished, _ = wait(running, timeout=LOOK, return_when=FIRST_COMPLETED)
        pool.watch()
        while finished:
            future = finished.pop()
            task = running.pop(future)
            under_way[task.tier] -= 1
            answer = _outcome(pool, task, future)
            # Dask makes a result anew whose worker is lost, as long as somebody refers to it.
            del future
            yield task, answer


def _outcome(pool: MeasuringPool, task: Task, future: Future[Measurement]) -> Measurement:
    try:
        return future.result()
    except KilledWorker as error:
        # Dask has given it to several workers, each of which went down with its machine or job.
        return pool.lost(task.tier, f"{error.allowed_failures + 1} workers were lost with it")
    except CancelledError as error:
        raise RunError(
            "the scheduler has lost the measurements it was given",
            remedy="Check that it is running, then run the same command again.",
        ) from error
