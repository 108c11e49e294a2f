"""One campaign, killed again and again at random moments and continued by its own command."""

import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import psutil

from alloop.loop.record.ledger_file import LEDGER

LIMIT = 300.0
"""Seconds after which something hangs."""
LOOK = 0.01
"""Seconds between looks at the ledger."""
SHORTEST, LONGEST = 0.001, 2.0
"""Seconds from what is waited for to a kill, spread evenly over their logarithm: some kills fall
into the writing of what was measured, some into the start of a worker or a fit."""
BEGUN = b"begun "
"""Beginning of the witness's note that a worker turns to a measurement."""
LEAVING = 60.0
"""Seconds that workers have to finish what they measure, and leave, after their controller died."""


class Victim(Enum):
    """Who is killed."""

    CONTROLLER = "controller"
    WORKERS = "workers"
    BOTH = "both"


class Blow(Enum):
    """How a controller is ended."""

    SIGKILL = "SIGKILL"
    SIGTERM = "SIGTERM"
    SIGHUP = "SIGHUP"
    CTRL_C_TWICE = "SIGINT twice"


@dataclass
class Tally:
    """Tally of what was done to one run, and of what was left behind."""

    kills: list[tuple[Victim, Blow]] = field(default_factory=list)
    sessions: int = 0
    orphans: int = 0
    """Processes that lived on where none should."""
    stuck: int = 0
    """Controllers that did not end within ``LIMIT``."""
    refusals: list[str] = field(default_factory=list)
    """Last words of sessions that ended by themselves and neither closed the campaign nor were
    killed."""


@dataclass(frozen=True)
class Killer:
    """Killer of one campaign's processes.

    Args:
        run: the run directory.
        command: that launches or continues it.
        environment: of the command.
        notes: file of the witness.
        mark: ``KEY=VALUE`` of the environment that all of them have, and nobody else.
        moments: draws who is killed, how and when.
    """

    run: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    notes: Path
    mark: tuple[str, str]
    moments: random.Random

    def kill(self, times: int, events_between: int) -> Tally:
        """Kill at random moments, then let the campaign end.

        Args:
            times: kills, fewer if the campaign ends before.
            events_between: most events of the ledger from one kill to the next.
        """
        tally = Tally()
        while not self._session(tally, times, events_between):
            if tally.sessions > 4 * times + 4:
                raise SystemExit(f"{self.run}: no end after {tally.sessions} sessions")
        tally.orphans += self._left()
        return tally

    def finish(self) -> Tally:
        """Let the campaign run to its end."""
        return self.kill(0, 0)

    def _session(self, tally: Tally, times: int, events_between: int) -> bool:
        """Start the command, kill until a controller dies; return whether the campaign closed."""
        tally.sessions += 1
        log = self.run.with_name(f"{self.run.name}-session-{tally.sessions}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        spared_workers = True
        while len(tally.kills) < times:
            self._wait(process, self.moments.randint(0, events_between))
            if process.poll() is not None:
                break
            victim = self.moments.choice(list(Victim))
            blow = self.moments.choice(list(Blow))
            workers = workers_of(process.pid)
            if victim is Victim.WORKERS:
                if workers:
                    _kill(self.moments.sample(workers, self.moments.randint(1, len(workers))))
                    tally.kills.append((victim, Blow.SIGKILL))
                    spared_workers = False
                continue
            if victim is Victim.BOTH:
                _kill(workers)
                spared_workers = spared_workers and not workers
            _strike(process, blow)
            tally.kills.append((victim if workers else Victim.CONTROLLER, blow))
            if not _ends(process):
                tally.stuck += 1
            if spared_workers and self.moments.random() < 0.5:
                tally.orphans += self._left()
            return False
        if not _ends(process):
            tally.stuck += 1
        if process.returncode == 0:
            return True
        tally.refusals.append(log.read_text("utf-8", "replace")[-600:])
        return False

    def _wait(self, process: subprocess.Popen[bytes], n_events: int) -> None:
        """Wait until the ledger has so many events more or, as often, until the next measurement
        has begun; then for a random moment."""
        until = time.monotonic() + LIMIT
        look, aim = self._n_events, self._n_events() + n_events
        if self.moments.random() < 0.5:
            look, aim = self._n_begun, self._n_begun() + 1
        while process.poll() is None and look() < aim and time.monotonic() < until:
            time.sleep(LOOK)
        delay = SHORTEST * (LONGEST / SHORTEST) ** self.moments.random()
        with suppress(subprocess.TimeoutExpired):
            process.wait(delay)

    def _n_begun(self) -> int:
        return self.notes.read_bytes().count(BEGUN) if self.notes.exists() else 0

    def _n_events(self) -> int:
        """Return the number of the ledger's events, and 0 where there is none yet."""
        with suppress(sqlite3.Error):
            address = f"file:{self.run / LEDGER}?mode=ro"
            with closing(sqlite3.connect(address, uri=True)) as connection:
                (last,) = connection.execute("SELECT max(seq) FROM events").fetchone()
                return int(last or 0)
        return 0

    def _left(self) -> int:
        """Wait for this campaign's processes to leave, end those that do not, and count them."""
        alive = _wait_for(lambda: _marked(self.mark), LEAVING)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                print(f"{self.run.name}: left behind: {process.cmdline()}", flush=True)
        _kill(alive)
        return len(alive)


def workers_of(controller: int) -> list[psutil.Process]:
    """Return a controller's measuring workers."""
    with suppress(psutil.NoSuchProcess):
        return [p for p in psutil.Process(controller).children() if _is_worker(p)]
    return []


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return any("alloop.loop.measure.worker" in word for word in process.cmdline())
    return False


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _strike(process: subprocess.Popen[bytes], blow: Blow) -> None:
    if blow is not Blow.CTRL_C_TWICE:
        process.send_signal(signal.Signals[blow.value])
        return
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.2)  # two signals at once are one
    process.send_signal(signal.SIGINT)


def _ends(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def _marked(mark: tuple[str, str]) -> list[psutil.Process]:
    """Return the living processes with a value in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            if is_alive and process.environ().get(mark[0]) == mark[1]:
                found.append(process)
    return found


def _wait_for(look: Callable[[], list[psutil.Process]], seconds: float) -> list[psutil.Process]:
    """Return what is still to be seen after so many seconds, or nothing as soon as that is so."""
    until = time.monotonic() + seconds
    while (found := look()) and time.monotonic() < until:
        time.sleep(0.1)
    return found
