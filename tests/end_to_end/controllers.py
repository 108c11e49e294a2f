"""Controllers in processes of their own, which can be killed at any moment.

They are forked from one process that has imported what they need, since importing it anew takes
seconds for each.
"""

import multiprocessing
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([f"tests.end_to_end.{name}" for name in ("drive", "drive_lab")])
LIMIT = 300.0
"""Seconds after which something hangs."""

Work = Callable[..., None]
"""Is given the end of a pipe, into which it says ``begun`` and, at the end, ``closed``."""


@dataclass(frozen=True)
class Running:
    """A controller that has begun to work."""

    process: ForkServerProcess
    pipe: Connection

    @property
    def has_ended(self) -> bool:
        return not self.process.is_alive()

    def kill(self) -> None:
        """Send SIGKILL, and wait for it to be gone."""
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def finish(self) -> None:
        """Wait until the campaign is closed."""
        self.process.join(LIMIT)
        assert self.process.exitcode == 0
        assert self.pipe.recv() == "closed"
        self.pipe.close()


def kill_repeatedly(
    work: Work, run: Path, *more: object, times: int, longest: float, at_least: int
) -> int:
    """Start and kill controllers at random moments; return how many were killed.

    Args:
        work: of each.
        run: directory of the campaign.
        more: arguments of the work.
        times: most that are killed.
        longest: seconds that one works before.
        at_least: so many must be killed before the campaign ends by itself.
    """
    moments, kills = random.Random(20261120), 0
    while kills < times:
        controller = start(work, run, *more)
        time.sleep(moments.uniform(0.0, longest))
        if controller.has_ended:
            break
        controller.kill()
        kills += 1
    assert kills >= at_least, "the campaign ended before it could be killed often enough"
    return kills


def start(work: Work, run: Path, *more: object) -> Running:
    """Start a controller, and wait until it works."""
    pipe, theirs = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=work, args=(theirs, run, *more))
    process.start()
    theirs.close()
    assert pipe.poll(LIMIT)
    assert pipe.recv() == "begun"
    return Running(process, pipe)
