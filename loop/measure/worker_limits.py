"""What a worker is bound to by the kernel: its memory, and that nothing it started outlives it."""

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "ALLOOP_WORKER"
"""Name of the environment variable of all that a worker starts: ``token:pid:moment``, with the
token of the spool it works for, its own process id, and the moment at which it was started."""

MEMORY_SHARE = 0.8
"""Share of the machine's memory, or of the container's, that one worker may take: the rest keeps
the controller and the system alive."""
_FIRST_TO_GO = 500
"""Worker's ``oom_score_adj``, of at most 1000: where workers take all memory together, the kernel
ends one of them and not the controller."""
_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def memory_limit() -> int:
    """Return the largest amount of memory that a worker on this machine may take, bytes."""
    total = int(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):  # no container, or one without a limit: "max"
        total = min(total, int(_CGROUP_LIMIT.read_text()))
    return int(MEMORY_SHARE * total)


def bound_memory(limit: int) -> None:
    """Have the kernel refuse this process, and each that it starts, more memory than a limit.

    Counted is what is written to (RLIMIT_DATA), not what is merely mapped, such as libraries.
    """
    with suppress(OSError, ValueError):  # not everywhere; a stricter limit of the user's stays
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_FIRST_TO_GO))


def adopt_orphans(token: str) -> None:
    """Mark what this process will start, and become the parent of what loses its own."""
    os.environ[MARK] = f"{token}:{os.getpid()}:{psutil.Process().create_time()}"
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_descendants() -> None:
    """End everything that this process started and that still runs."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def end_what_was_started_by(token: str, pid: int) -> int:
    """End what a worker that has ended had started; return how many processes that were."""
    return _end(p for p, mark in _marked(token) if mark[0] == pid)


def end_orphans(token: str) -> int:
    """End what workers of a spool had started that are gone; return how many processes that were.

    Their controller was killed, and the workers ended in no orderly way.
    """
    return _end(p for p, (pid, moment) in _marked(token) if not _is_running(pid, moment))


def _end(processes: Iterator[psutil.Process]) -> int:
    found = list(processes)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=1.0)
    return len(found)


def _marked(token: str) -> Iterator[tuple[psutil.Process, tuple[int, float]]]:
    """Yield the marked processes with their worker's process id and the moment of its start."""
    for process in psutil.process_iter():
        # It may end meanwhile, or belong to somebody else; a mark may be anybody's text.
        with suppress(psutil.Error, OSError, ValueError):
            of, pid, moment = process.environ().get(MARK, "::").split(":")
            if of == token and process.pid != os.getpid():
                yield process, (int(pid), float(moment))


def _is_running(pid: int, moment: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - moment) < 1.0
    except psutil.NoSuchProcess:
        return False
