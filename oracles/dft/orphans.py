"""Programs that outlive the process that started them.

custodian starts VASP in a session of its own, so ending a worker does not end its VASP. Each
program is marked through its environment with the submission it works for; whoever runs something
next ends what works for a submission that nobody holds any more.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil

MARK = "ALLOOP_DFT_SUBMISSION"
"""Name of the environment variable that holds the submission's name."""

TERMINATION_GRACE_PERIOD = 5.0
"""Seconds between SIGTERM and SIGKILL."""


def end_orphans(is_abandoned: Callable[[str], bool]) -> int:
    """End all processes that work for an abandoned submission; return how many there were."""
    found = [process for process, name in _marked_processes() if is_abandoned(name)]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=TERMINATION_GRACE_PERIOD)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=TERMINATION_GRACE_PERIOD)
    return len(found)


def _marked_processes() -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        # It may end meanwhile, or belong to somebody else.
        with suppress(psutil.Error):
            # A process's own environment is what it was started with, so that this process, which
            # marks only those it starts, is not among them.
            if process.pid != os.getpid() and (name := process.environ().get(MARK)):
                yield process, name
