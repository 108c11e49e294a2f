"""The pool of measuring workers, behind ``concurrent.futures``.

Dask's scheduler hands evaluations to its workers; each has one isolated oracle per tier. On
this machine scheduler and workers are threads of the controller, without a network between
them; ``alloop.loop.measure.clusters`` knows of others.
"""

import asyncio
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Self

from distributed import Worker, WorkerPlugin, get_worker

from alloop.campaigns.execution import ExecutionOptions
from alloop.loop.measure.clusters import connect
from alloop.loop.measure.isolation import IsolatedOracle, PackedOracle, pack
from alloop.loop.measure.spool import Spool
from alloop.loop.measure.worker_limits import end_orphans
from alloop.oracles.base import Cost, FailureKind, Measurement, Oracle

NO_LIMIT = 10 * 365 * 86400.0
"""Seconds that a measurement without a limit may take: finite, as watchdogs want it."""


class MeasuringPool:
    """Pool of workers that measure; use as a context manager, or ``shutdown``.

    Args:
        oracles: one per tier; each worker gets its own copy of each.
        timeouts: seconds for one measurement, per tier; None for no limit.
        options: where to run.
        spool: for measurements that the ledger does not have yet; made if absent.

    Raises:
        RunError: if an oracle cannot be sent to a worker, the folder cannot be made, or a
            scheduler does not answer.
        MissingSoftware: if Slurm is asked for and not there.
    """

    def __init__(
        self,
        oracles: Sequence[Oracle],
        timeouts: Sequence[float | None],
        options: ExecutionOptions,
        spool: Spool,
    ) -> None:
        self._packed = [pack(oracle) for oracle in oracles]
        spool.make()
        end_orphans(spool.token)
        # Other campaigns may share the scheduler.
        self._plugin_name = f"alloop-oracles-{uuid.uuid4()}"
        self._connection = connect(options, spool)
        self._client = self._connection.client
        self._executor = self._client.get_executor(pure=False)
        plugin = _WorkerOracles(
            self._packed,
            [NO_LIMIT if each is None else each for each in timeouts],
            # Workers elsewhere have another working folder.
            replace(spool, folder=spool.folder.absolute()),
            finishes=self._connection.finishes,
        )
        try:
            self._client.register_plugin(plugin, name=self._plugin_name)
        except BaseException:
            self.shutdown()
            raise

    def submit(self, evaluation: str, tier: int, payload: str) -> Future[Measurement]:
        """Submit a task to a tier's oracle.

        The measurement stays in the spool until ``Spool.forget`` clears it. However often an
        evaluation is submitted, its oracle is asked once.

        Returns:
            A future whose exception, if any, is the machine's fault: see
            ``IsolatedOracle.measure``.
        """
        return self._executor.submit(_measure, self._plugin_name, evaluation, tier, payload)

    def watch(self) -> None:
        """Look after the workers; to be called every second or so while answers are waited for.

        Raises:
            RunError: if none can come.
        """
        self._connection.watch()

    def lost(self, tier: int, why: str) -> Measurement:
        """Return the failed measurement of a worker that was lost with its machine."""
        oracle = self._packed[tier]
        return Measurement.failed(
            FailureKind.WORKER_DIED,
            why,
            oracle=oracle.name,
            fingerprint=oracle.fingerprint,
            cost=Cost(calls=1),
        )

    def shutdown(self) -> None:
        """End the workers. What has not been answered yet is cancelled, what is being measured
        is given up and will be measured when it is asked for again.
        """
        self._executor.shutdown(wait=False)
        if self._client.cluster is None and self._client.status == "running":
            # The workers live on; what they hold for this pool goes.
            self._client.unregister_worker_plugin(self._plugin_name)
        self._client.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()


class _WorkerOracles(WorkerPlugin):
    """A worker's oracles, one per tier."""

    def __init__(
        self,
        oracles: Sequence[PackedOracle],
        timeouts: Sequence[float],
        spool: Spool,
        *,
        finishes: bool,
    ) -> None:
        self._settings = tuple(zip(oracles, timeouts, strict=True))
        self._spool = spool
        self._finishes = finishes

    def setup(self, worker: Worker) -> None:
        self.oracles = [
            IsolatedOracle(oracle, timeout=timeout, spool=self._spool)
            for oracle, timeout in self._settings
        ]

    async def teardown(self, worker: Worker) -> None:
        for oracle in self.oracles:
            if self._finishes:
                # The controller is gone, or the job is about to end: what is measured is spooled,
                # and read there by whoever asks for it next.
                await asyncio.to_thread(oracle.finish)
            else:
                oracle.close()


def _measure(name: str, evaluation: str, tier: int, payload: str) -> Measurement:
    plugin: _WorkerOracles = get_worker().plugins[name]
    return plugin.oracles[tier].measure(evaluation, payload)
