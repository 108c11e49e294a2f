"""Clusters that workers come from: this machine, a Dask scheduler that runs already, or Slurm."""

import asyncio
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import dask
from distributed import Client, Scheduler, Security, SpecCluster, Worker
from distributed.comm import connect as distributed_connect

from alloop.campaigns.execution import (
    DaskExecution,
    ExecutionOptions,
    LocalExecution,
    SlurmExecution,
)
from alloop.errors import RunError
from alloop.loop.measure.slurm import SlurmWorkers
from alloop.loop.measure.spool import Spool
from alloop.settings.settings_file import settings_path

CONNECT_TIMEOUT = 30.0
"""Time to wait for a scheduler to answer, s."""
_QUIET: dict[str, object] = {
    # A laptop that slept, or a long fit, must not look like a dead worker.
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.profile.enabled": False,
    # What Dask keeps of the past for its own debugging would grow with every measurement.
    "distributed.admin.low-level-log-length": 100,
    # Dask opens its web ports in any case; there is nothing to see behind them.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
_NODE = {"protocol": "inproc://", "dashboard": False, "dashboard_address": "127.0.0.1:0"}


@dataclass(frozen=True)
class Connection:
    """A client of a cluster, and what belongs to it."""

    client: Client
    close: Callable[[], None]
    """Ends the cluster, where it was started here."""
    watch: Callable[[], None] = lambda: None
    """Looks after the cluster; called every second or so while measurements are waited for.
    Raises RunError if it cannot work."""
    finishes: bool = False
    """Whether a worker that must go first finishes what it measures, as far as it is let."""


def connect(options: ExecutionOptions, spool: Spool) -> Connection:
    """Connect to the cluster that the options describe, started if need be.

    Each worker has one thread, so that it measures one material at a time. A scheduler's address
    and what a job asks for are those of the profile of the user's settings that the options name.

    Args:
        options: where to run.
        spool: of the run that measures.

    Raises:
        SettingsError: if there is no such profile, or it lacks the scheduler's address.
        RunError: if a scheduler does not answer, or Slurm refuses the jobs.
        MissingSoftware: if Slurm is asked for and not there.
    """
    match options:
        case LocalExecution():
            client = _client_of_threads(options)
            return Connection(client, client.cluster.close)
        case DaskExecution():
            return Connection(_client_of_scheduler(options), lambda: None)
        case SlurmExecution():
            jobs = SlurmWorkers(options, spool, _QUIET)
            return Connection(jobs.client, jobs.close, jobs.watch, finishes=True)


def _client_of_threads(options: LocalExecution) -> Client:
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


def _client_of_scheduler(options: DaskExecution) -> Client:
    address = options.find_address()
    try:
        # A client that fails to connect leaves a thread behind.
        asyncio.run(_knock(address))
        return Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise RunError(
            f"no Dask scheduler answers at {address} ({error})",
            where=f"{settings_path()}: profiles.{options.profile}.dask.address",
            remedy="Start it, or correct the address, then `alloop resume`.",
        ) from error


async def _knock(address: str) -> None:
    security = Security().get_connection_args("client")
    comm = await distributed_connect(address, timeout=CONNECT_TIMEOUT, **security)
    await comm.close()
