"""A Slurm of one node, this machine: its daemons, started in a folder of their own and ended after.

It needs Debian's packages `slurm-wlm` and `munge`, and root. Nothing of a Slurm that is installed
is read or changed: configuration, key, state, sockets and logs all lie in the folder.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
CPUS = 8
"""Processors that the node says it has: jobs of one core wait for a place only behind eight."""
LIMIT = 120.0
"""Time that is waited for what should come to pass, s."""
PARTITION = "alloys"

_CONFIGURATION = """\
ClusterName=alloop-test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=5
ReturnToService=2
KillWait=2
OverTimeLimit=0
MailProg=/bin/true
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000 State=UNKNOWN
PartitionName={partition} Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Return why no Slurm can be started here; empty where one can."""
    if os.geteuid() != 0:
        return "only root starts a Slurm of its own"
    absent = [name for name in PROGRAMS if _program(name) is None]
    if absent:
        return f"no {', '.join(absent)} here (Debian: slurm-wlm, munge)"
    return ""


@dataclass(frozen=True)
class OneNodeSlurm:
    """A Slurm that runs."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment in which Slurm's commands speak to it."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def squeue(self, *options: str, form: str = "%i") -> list[str]:
        """Return a field of each job that waits or runs."""
        return self._ask("squeue", "--noheader", "--format", form, *options).split()

    def running(self) -> list[str]:
        """Return the ids of jobs that run."""
        return self.squeue("--states=RUNNING")

    def scancel(self, *jobs: str) -> None:
        """Cancel jobs."""
        if jobs:
            self._ask("scancel", *jobs)

    def set_partition(self, state: str) -> None:
        """Open or close the only partition: ``UP``, ``DOWN``."""
        self._ask("scontrol", "update", f"PartitionName={PARTITION}", f"State={state}")

    def limit(self, job: str, *, minutes: int) -> None:
        """Give a job another limit on its wall time."""
        self._ask("scontrol", "update", f"JobId={job}", f"TimeLimit={minutes}")

    def has_ended(self, job: str) -> bool:
        """Return whether a job is over."""
        return job not in self.squeue()

    def state_of(self, job: str) -> str:
        """Return how a job stands or has ended, as Slurm says: ``TIMEOUT``, ``CANCELLED``, …"""
        said = self._ask("scontrol", "show", "job", job)
        return next(w.split("=")[1] for w in said.split() if w.startswith("JobState="))

    def _ask(self, *command: str) -> str:
        return subprocess.run(
            command,
            env=os.environ | dict(self.environment),
            check=True,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        ).stdout


@contextmanager
def one_node_slurm(folder: Path) -> Iterator[OneNodeSlurm]:
    """Start a Slurm in a folder, and end it with all its jobs.

    The folder's path must be short: sockets lie in it.

    Raises:
        RuntimeError: if it does not start, with the end of its logs.
    """
    slurm = OneNodeSlurm(folder)
    _write_configuration(folder)
    environment = os.environ | dict(slurm.environment)
    try:
        munge = [f"--{name}={folder}/{file}" for name, file in _MUNGE.items()]
        _start([_required("munged"), *munge, "--force"], environment)
        _start([_required("slurmctld"), "-c", "-i"], environment)
        _start([_required("slurmd")], environment)
        wait_until(lambda: "idle" in _sinfo(environment), "the node is idle", folder)
        yield slurm
    finally:
        with suppress(subprocess.SubprocessError, OSError):
            slurm.scancel(*slurm.squeue())
            wait_until(lambda: not slurm.squeue(), "no job is left")
        for name in ("slurmd", "slurmctld", "munged"):
            _end(folder / f"{name}.pid")


_MUNGE = {
    "socket": "munge.socket",
    "key-file": "munge.key",
    "pid-file": "munged.pid",
    "log-file": "munged.log",
    "seed-file": "munged.seed",
}


def wait_until(is_so: Callable[[], bool], what: str, logs: Path | None = None) -> None:
    """Wait until something is so.

    Raises:
        RuntimeError: if that takes longer than ``LIMIT``.
    """
    deadline = time.monotonic() + LIMIT
    while not is_so():
        if time.monotonic() > deadline:
            said = _log_tails(logs) if logs else ""
            raise RuntimeError(f"after {LIMIT:g} s it is not so that {what}\n{said}")
        time.sleep(0.2)


def _write_configuration(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(128))
    controller_port, node_port = _free_ports(2)
    (folder / "slurm.conf").write_text(
        _CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0],
            folder=folder,
            controller_port=controller_port,
            node_port=node_port,
            cpus=CPUS,
            partition=PARTITION,
        )
    )


def _free_ports(n: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _start(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Start a daemon, which leaves for the background when it has begun."""
    # Files and not pipes: the daemon inherits them, and a pipe would be read until it ends.
    done = subprocess.run(
        command,
        env=dict(environment),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=LIMIT,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} does not start: exit code {done.returncode}")


def _sinfo(environment: Mapping[str, str]) -> str:
    return subprocess.run(
        ["sinfo", "--noheader", "--format", "%T"],
        env=dict(environment),
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    ).stdout


def _end(pid_file: Path) -> None:
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)


def _log_tails(folder: Path) -> str:
    logs = sorted(folder.glob("*.log"))
    return "\n".join(f"{log.name}: {log.read_text()[-1000:]}" for log in logs)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _required(name: str) -> str:
    found = _program(name)
    assert found is not None
    return found
