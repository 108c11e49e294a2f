"""Controllers as processes of their own: started for an agent, and interrupted."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from alloop.errors import AlloopError, RunError
from alloop.loop.commands.exit_codes import INTERRUPTED, PAUSED
from alloop.loop.record.ledger_file import LEDGER, LOCK, controller_process
from alloop.loop.record.links import refuse_links_to_write

WAIT = 30.0
"""Longest time that ``stop`` waits for the measurements under way, s."""
_LAST_WORDS = 2000
"""Number of bytes of a controller's output that are kept for whoever asks why it ended."""


class Controllers:
    """Controllers of a folder's runs.

    They outlive the call that started them, and the server: a campaign goes on when the agent's
    session ends, as one does that is run in the background.
    """

    def __init__(self) -> None:
        self._started: dict[Path, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}

    def start(self, run: Path, rounds: int | None) -> None:
        """Start a controller on a run that has begun.

        Args:
            run: the run's folder.
            rounds: number of rounds to begin at most; None for all.

        Raises:
            RunError: if one is working on it.
        """
        if self.process(run) is not None:
            raise RunError(
                "a controller is working on the run",
                where=run.name,
                remedy="`inspect` says how far it is; `stop` interrupts it.",
            )
        # -P: nothing is imported from the folder that the server happens to be in.
        words = [sys.executable, "-P", "-m", "alloop", "resume", str(run)]
        words += [] if rounds is None else ["--rounds", str(rounds)]
        output = tempfile.TemporaryFile()  # noqa: SIM115 (read when the process has ended)
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a client that ends its server's group does not end this
        )
        self._started[run] = process, output

    def process(self, run: Path) -> int | None:
        """Return the id of the process that works on a run, whoever started it; None where there is
        none."""
        if run in self._started and self._started[run][0].poll() is None:
            return self._started[run][0].pid
        found = controller_process(run)
        # Not this process, and none that the system will not tell, such as another machine's.
        return None if found is None or found <= 1 or found == os.getpid() else found

    def failure(self, run: Path) -> str:
        """Return the last line of a controller that could not go on; empty where none failed."""
        if run not in self._started:
            return ""
        process, output = self._started[run]
        if process.poll() in (None, 0, PAUSED, INTERRUPTED):
            return ""
        size = output.seek(0, os.SEEK_END)
        output.seek(max(size - _LAST_WORDS, 0))
        lines = output.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def stop(self, run: Path, then: Callable[[], None]) -> bool:
        """Interrupt the controller of a run, which keeps what was measured; return whether it has
        ended within ``WAIT``.

        Args:
            run: the run's folder.
            then: called once it has ended, also when that takes longer.

        Raises:
            RunError: if none is working on it.
            AlloopError: as ``then`` does in that time.
        """
        # The holder of a lock that is a link may be anything.
        refuse_links_to_write(run, LEDGER, lock=LOCK)
        lock, process = run / LOCK, self.process(run)
        if process is None or (lock.exists() and lock.stat().st_nlink > 1):
            raise RunError(
                "no controller is working on the run",
                where=run.name,
                remedy="There is nothing to stop; `inspect` says where it stands.",
            )
        try:
            os.kill(process, signal.SIGINT)
        except PermissionError as error:
            raise RunError(
                "the controller is another user's", where=run.name, remedy="Ask them to stop it."
            ) from error
        except ProcessLookupError:
            pass  # it has ended meanwhile

        refusals: list[AlloopError] = []

        def wait() -> None:
            while self.process(run) is not None:
                time.sleep(0.1)
            try:
                then()
            except AlloopError as error:
                refusals.append(error)

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        waiting.join(WAIT)
        if refusals:
            raise refusals[0]
        return not waiting.is_alive()
