"""The pool of measuring workers, behind ``concurrent.futures``.

Dask's scheduler hands evaluations to its workers; each has one isolated oracle per tier. On
this machine scheduler and workers are threads of the controller, without a network between
them. Another cluster takes their place by another ``connect``.
"""

import logging
import warnings
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Self

import dask
from distributed import Client, Scheduler, SpecCluster, Worker, WorkerPlugin, get_worker

from campaigns.spec import LocalExecution
from loop.durable import make_folder
from loop.isolation import IsolatedOracle, PackedOracle, pack
from oracles.base import Measurement, Oracle

_BENCH = "alloop-bench"
_QUIET: dict[str, object] = {
    # A laptop that slept, or a long fit, must not look like a dead worker.
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.profile.enabled": False,
    # Dask opens its web ports in any case; there is nothing to see behind them.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
_NODE = {"protocol": "inproc://", "dashboard": False, "dashboard_address": "127.0.0.1:0"}


def connect(options: LocalExecution) -> Client:
    """Return a client of the cluster that the options describe, started if need be.

    Each worker has one thread, so that it measures one material at a time.
    """
    worker = {"cls": Worker, "options": {**_NODE, "nthreads": 1, "memory_limit": 0}}
    with dask.config.set(_QUIET), warnings.catch_warnings():
        # Offline, Dask finds no address of this machine; none is needed.
        warnings.filterwarnings("ignore", "Couldn't detect a suitable IP", RuntimeWarning)
        cluster = SpecCluster(
            scheduler={"cls": Scheduler, "options": _NODE},
            workers=dict.fromkeys(range(options.workers), worker),
            silence_logs=logging.CRITICAL,
        )
        return Client(cluster, set_as_default=False)


class MeasuringPool:
    """Workers that measure; use as a context manager, or ``shutdown``.

    Args:
        oracles: one per tier; each worker gets its own copy of each.
        timeouts: seconds for one measurement, per tier.
        options: where to run.
        spool: folder for measurements that the ledger does not have yet; made if absent.

    Raises:
        RunError: if an oracle cannot be sent to a worker, or the folder cannot be made.
    """

    def __init__(
        self,
        oracles: Sequence[Oracle],
        timeouts: Sequence[float],
        options: LocalExecution,
        spool: Path,
    ) -> None:
        bench = _Bench([pack(oracle) for oracle in oracles], timeouts, spool)
        make_folder(spool)
        self._client = connect(options)
        self._executor = self._client.get_executor(pure=False)
        try:
            self._client.register_plugin(bench, name=_BENCH)
        except BaseException:
            self.shutdown()
            raise

    def submit(self, evaluation: str, tier: int, material_json: str) -> Future[Measurement]:
        """Have a material measured by a tier's oracle.

        The measurement stays in the spool until ``loop.isolation.forget`` clears it. However
        often an evaluation is submitted, its oracle is asked once.

        Returns:
            A future whose exception, if any, is the machine's fault: see
            ``IsolatedOracle.measure``.
        """
        return self._executor.submit(_measure, evaluation, tier, material_json)

    def shutdown(self) -> None:
        """End the workers. What has not been answered yet is cancelled, what is being measured
        is given up and will be measured when it is asked for again.
        """
        self._executor.shutdown(wait=False)
        self._client.close()
        if (cluster := self._client.cluster) is not None:
            cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()


class _Bench(WorkerPlugin):
    """A worker's oracles, one per tier."""

    def __init__(
        self, oracles: Sequence[PackedOracle], timeouts: Sequence[float], spool: Path
    ) -> None:
        self._settings = tuple(zip(oracles, timeouts, strict=True))
        self._spool = spool

    def setup(self, worker: Worker) -> None:
        self.oracles = [
            IsolatedOracle(oracle, timeout=timeout, spool=self._spool)
            for oracle, timeout in self._settings
        ]

    def teardown(self, worker: Worker) -> None:
        for oracle in self.oracles:
            oracle.close()


def _measure(evaluation: str, tier: int, material_json: str) -> Measurement:
    bench: _Bench = get_worker().plugins[_BENCH]
    return bench.oracles[tier].measure(evaluation, material_json)
