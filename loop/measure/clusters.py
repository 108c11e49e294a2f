"""Clusters that workers come from: this machine, a Dask scheduler that runs already, or Slurm."""

import asyncio
import logging
import shlex
import shutil
import sys
import warnings
from datetime import timedelta
from typing import Any

import dask
from distributed import Client, Scheduler, Security, SpecCluster, Worker
from distributed.comm import connect as distributed_connect

from alloop.campaigns.execution import (
    DaskExecution,
    ExecutionOptions,
    LocalExecution,
    SlurmExecution,
)
from alloop.errors import MissingSoftware, RunError
from alloop.settings.profiles import Profile
from alloop.settings.settings_file import settings_path

CONNECT_TIMEOUT = 30.0
"""Time to wait for a scheduler to answer, s."""
RETIREMENT_LEAD = timedelta(minutes=2)
"""Time before the end of its job from which a worker takes no more; another job takes its place."""

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


def connect(options: ExecutionOptions) -> Client:
    """Return a client of the cluster that the options describe, started if need be.

    Each worker has one thread, so that it measures one material at a time. A scheduler's address
    and what a job asks for are those of the profile of the user's settings that the options name.

    Raises:
        SettingsError: if there is no such profile, or it lacks the scheduler's address.
        RunError: if a scheduler does not answer.
        MissingSoftware: if Slurm is asked for and not there.
    """
    match options:
        case LocalExecution():
            return _client_of_threads(options)
        case DaskExecution():
            return _client_of_scheduler(options)
        case SlurmExecution():
            return _client_of_slurm(options)


def slurm_cluster(profile: Profile) -> Any:
    """Return a cluster of Slurm jobs, none of which is submitted yet.

    Args:
        profile: what a job asks for, and the environment of what it runs.

    Raises:
        MissingSoftware: if dask-jobqueue is not installed.
    """
    try:
        from dask_jobqueue import SLURMCluster  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingSoftware(
            "the package dask-jobqueue is not installed", remedy="pip install 'alloop[slurm]'"
        ) from error
    options = profile.slurm
    lifetime = max(options.walltime - RETIREMENT_LEAD, options.walltime / 2)
    with dask.config.set(_QUIET):
        return SLURMCluster(
            cores=1,  # threads of the Dask worker; the job's own follow
            job_cpu=options.cores,
            processes=1,
            memory=options.memory,
            walltime=_clock(options.walltime),
            queue=options.partition,
            account=options.account,
            job_name="alloop",
            job_extra_directives=[_directive(*item) for item in options.directives.items()],
            job_script_prologue=[
                f"export {name}={shlex.quote(value)}" for name, value in profile.environment.items()
            ],
            worker_extra_args=["--lifetime", f"{lifetime.total_seconds():.0f} seconds"],
            nanny=False,  # a measurement has its own process already
            python=sys.executable,
            scheduler_options={"dashboard": False, "dashboard_address": ":0"},
            silence_logs=logging.CRITICAL,
        )


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


def _client_of_slurm(options: SlurmExecution) -> Client:
    profile = options.find_profile()
    if shutil.which("sbatch") is None:
        raise MissingSoftware(
            "there is no command sbatch here",
            where="execution.kind",
            remedy="Run where jobs can be submitted, or take kind: local.",
        )
    cluster = slurm_cluster(profile)
    # Adapting between equal bounds replaces jobs that ended.
    cluster.adapt(minimum_jobs=options.workers, maximum_jobs=options.workers)
    return Client(cluster, set_as_default=False)


def _directive(name: str, value: str | bool) -> str:
    """Return an option of sbatch as it stands after #SBATCH."""
    return f"--{name}" if value is True else f"--{name}={value}"


def _clock(length: timedelta) -> str:
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"
