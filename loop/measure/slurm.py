"""Workers as Slurm jobs, by dask-jobqueue: checked, submitted, and renewed when they end.

dask-jobqueue submits a job per worker. It does not learn of a job that ends before its worker has
come (cancelled in the queue, a broken node), and would wait for that worker for ever; so the queue
is looked at from time to time, and what is gone is submitted again.
"""

import logging
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import dask
from distributed import Client, Status

from alloop.campaigns.execution import SlurmExecution
from alloop.durable import make_folder
from alloop.errors import MissingSoftware, RunError
from alloop.loop.measure.spool import Spool
from alloop.settings.profiles import Profile
from alloop.settings.settings_file import settings_path

RETIREMENT_LEAD = timedelta(minutes=2)
"""Time before the end of its job from which a worker takes no more; another job takes its place."""
LOOK_INTERVAL = 10.0
"""Time between looks at the queue, s."""
MOST_IN_VAIN = 3
"""Least number of jobs that end one after the other, without their worker having come, before the
campaign gives up; at least two for each worker."""
_ANSWER_LIMIT = 60.0
"""Time in which a command of Slurm must have answered, s."""
_NEVER = "1000 days"
_CERTIFICATE = ("_job_key", "_job_cert", "_job_ca_file")
"""Attributes of dask-jobqueue's cluster with the open files of its certificate."""
_LOGS = "slurm"
"""Folder beside the spooled measurements with what jobs printed."""
_TAIL = 300

_log = logging.getLogger("alloop")


def job_name(spool: Spool) -> str:
    """Return the name that a run's jobs have in Slurm's queue."""
    return f"alloop-{spool.token}"


class SlurmWorkers:
    """The Slurm jobs of one pool, a worker in each.

    Args:
        options: the profile, and the number of jobs.
        spool: of the run; jobs are named after it, and what they print lies beside it.
        quiet: settings of Dask.

    Raises:
        SettingsError: if there is no such profile.
        MissingSoftware: if Slurm, or dask-jobqueue, is not there.
        RunError: if Slurm does not answer, or refuses such jobs.
    """

    def __init__(self, options: SlurmExecution, spool: Spool, quiet: Mapping[str, object]) -> None:
        options.check_ready()
        self._n = options.workers
        self._name = job_name(spool)
        self._logs = _make_logs(spool)
        self._cluster = slurm_cluster(
            options.find_profile(), name=self._name, folder=self._logs, quiet=quiet
        )
        # A worker that is gone may be finishing what it measures: its job is not cancelled for it.
        self._settings = dask.config.set({"distributed.deploy.lost-worker-timeout": _NEVER})
        self._arrived: set[str] = set()
        self._in_vain: list[str] = []
        try:
            _require_accepted(self._cluster.job_script(), options.profile)
            # Those of a controller that was killed would wait for it once they begin.
            _ask("scancel", "--me", "--state=PENDING", f"--name={self._name}")
            self._cluster.scale(jobs=self._n)
            self._next_look = time.monotonic() + LOOK_INTERVAL
            self.client = Client(self._cluster, set_as_default=False)
        except BaseException:
            self.close()
            raise

    def watch(self) -> None:
        """Submit again what has ended; looks at the queue at most every ``LOOK_INTERVAL``.

        Raises:
            RunError: if job after job ends before its worker comes.
        """
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_INTERVAL
        known = {job.job_id for job in self._cluster.workers.values()}
        if (queued := queue_of(self._name)) is None:
            return  # Slurm is away for a while; jobs that run go on
        self._cluster.sync(self._drop, known - {id for id, _, _ in queued})
        if len(self._in_vain) >= max(MOST_IN_VAIN, 2 * self._n):
            raise self._fruitless()
        # Dask submits a job for each worker that it is short of.
        self._cluster.scale(jobs=self._n)

    def close(self) -> None:
        """Cancel the jobs."""
        with suppress(RuntimeError, TimeoutError):
            self._cluster.sync(self._drop, {None})
        self._cluster.close()
        _ask("scancel", "--me", f"--name={self._name}")  # also those that are finishing
        self._settings.__exit__(None, None, None)
        for name in _CERTIFICATE:
            vars(self._cluster)[name].close()  # which removes it

    async def _drop(self, gone: set[str | None]) -> None:
        """Forget workers that have left, and those whose jobs have left the queue or could not be
        submitted."""
        workers = self._cluster.workers
        connected = {each["name"] for each in self._cluster.scheduler_info["workers"].values()}
        for name, job in list(workers.items()):
            if name in connected:
                self._in_vain.clear()
                self._arrived.add(job.job_id)
            elif job.job_id in gone or job.job_id in self._arrived:
                job.status = Status.closed  # else closing the cluster would fail
                del workers[name]
                if job.job_id is not None and job.job_id not in self._arrived:
                    self._in_vain.append(job.job_id)

    def _fruitless(self) -> RunError:
        jobs = ", ".join(self._in_vain)
        log = self._logs / f"{self._name}-{self._in_vain[-1]}.err"
        said = ""
        with suppress(OSError):
            said = " ".join(log.read_text("utf-8", "replace")[-_TAIL:].split())
        return RunError(
            f"the Slurm jobs {jobs} ended before their workers came"
            + (f"; the last one said: {said}" if said else ""),
            where=str(log),
            remedy="Jobs must find this Python and reach this machine over the network; correct "
            "that, then `alloop resume`.",
        )


def slurm_cluster(profile: Profile, *, name: str, folder: Path, quiet: Mapping[str, object]) -> Any:
    """Return a cluster of Slurm jobs, none of which is submitted yet.

    Scheduler and workers speak TLS with a certificate made for this cluster, so that nobody else
    on the network can give them work.

    Args:
        profile: what a job asks for, and the environment of what it runs.
        name: of each job.
        folder: where jobs write what they print, and read their certificate.
        quiet: settings of Dask.

    Raises:
        MissingSoftware: if dask-jobqueue is not installed.
        RunError: if the folder's path cannot stand in a job script.
    """
    try:
        from dask_jobqueue import SLURMCluster  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingSoftware(
            "the package dask-jobqueue is not installed", remedy="pip install 'alloop[slurm]'"
        ) from error
    for path in (str(folder), sys.executable):
        if not re.fullmatch(r"[\w./+@:,=~-]+", path):
            raise RunError(
                "this path has a character that a Slurm job script cannot hold",
                where=path,
                remedy="Use a path without spaces, quotes, % and $.",
            )
    options = profile.slurm
    lifetime = max(options.walltime - RETIREMENT_LEAD, options.walltime / 2)
    with dask.config.set(quiet):
        return SLURMCluster(
            cores=1,  # threads of the Dask worker; the job's own follow
            job_cpu=options.cores,
            processes=1,
            memory=options.memory,
            walltime=_clock(options.walltime),
            queue=options.partition,
            account=options.account,
            job_name=name,
            job_extra_directives=[_directive(*item) for item in options.directives.items()],
            job_script_prologue=[
                f"export {name}={shlex.quote(value)}" for name, value in profile.environment.items()
            ],
            # One word: dask-jobqueue quotes nothing.
            worker_extra_args=["--lifetime", f"{lifetime.total_seconds():.0f}s"],
            nanny=False,  # a measurement has its own process already
            python=sys.executable,
            log_directory=str(folder),
            security=True,
            shared_temp_directory=str(folder),
            scheduler_options={"dashboard": False, "dashboard_address": ":0"},
            silence_logs=logging.CRITICAL,
        )


def _make_logs(spool: Spool) -> Path:
    """Make the folder of jobs' output; what a killed controller left of its certificate goes."""
    spool.make()
    folder = spool.folder.absolute() / _LOGS
    if folder.is_symlink():
        raise RunError(
            "the folder of Slurm's output is a link",
            where=str(folder),
            remedy="Remove the link, then `alloop resume`.",
        )
    make_folder(folder)
    for left in folder.glob(".dask-jobqueue.worker.*"):
        left.unlink(missing_ok=True)
    return folder


def _require_accepted(script: str, profile: str) -> None:
    """Have Slurm look at a job script without submitting it.

    Raises:
        RunError: with what Slurm says against it.
    """
    with NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        done = _ask("sbatch", "--test-only", file.name)
    if done is None or done.returncode:
        said = "it does not answer" if done is None else " ".join(done.stderr.split())
        raise RunError(
            f"Slurm takes no such jobs ({said[:_TAIL]})",
            where=f"{settings_path()}: profiles.{profile}.slurm",
            remedy="`sinfo` lists partitions and whether they are up; correct the profile, or run "
            "here with --set execution.kind=local.",
        )


def queue_of(name: str) -> list[tuple[str, str, str]] | None:
    """Return id, state and reason for waiting of the user's jobs of a name; None if Slurm does not
    say."""
    done = _ask("squeue", "--me", f"--name={name}", "--noheader", "--format=%i|%T|%r")
    if done is None or done.returncode:
        return None
    rows = (line.strip().split("|", 2) for line in done.stdout.splitlines())
    return [(id, state, "" if why == "None" else why) for id, state, why in rows]


def _ask(*command: str) -> "subprocess.CompletedProcess[str] | None":
    """Return what a command of Slurm answers; None where it does not."""
    if shutil.which(command[0]) is None:
        return None
    try:
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_ANSWER_LIMIT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("%s does not answer (%s)", command[0], error)
        return None


def _directive(name: str, value: str | bool) -> str:
    """Return an option of sbatch as it stands after #SBATCH."""
    return f"--{name}" if value is True else f"--{name}={value}"


def _clock(length: timedelta) -> str:
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"
