"""Many measurements of a fake oracle through a campaign, while workers are killed at random."""

import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from alloop.campaigns.load import parse_spec
from alloop.loop.controller import Controller
from alloop.loop.record.events import AttemptFailed, LedgerEntry, Measured
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.verification import verify
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.steps import Measure, Step
from benchmarks.execution.oracle import Fake, value_of

WORKERS = 2
KILL_EVERY = (50, 150)
"""Measurements between two kills: a random number between these."""
MAX_DELAY = 0.01
"""Seconds, random, until the kill: about the time of a measurement and what goes with it."""


@dataclass
class Killer:
    """Watches a campaign, kills its workers at random, and notes how much memory it takes."""

    moments: random.Random
    kill_every: tuple[int, int]
    calls: Path | None = None
    """The oracle's notes, to spare workers that have measured nothing yet."""
    n_killed: int = 0
    n_measured: int = 0
    began: float = 0.0
    ended: float = 0.0
    rss: list[float] = field(default_factory=list)
    """MB of the controller at the start of the measurements and after each."""
    _next: int = 0

    def step(self, step: Step, state: CampaignState) -> None:
        if isinstance(step, Measure):
            self.began = time.monotonic()
            self.rss.append(_rss())
            self._next = self.moments.randint(*self.kill_every)

    def progress(self, share: float, message: str) -> None:
        pass

    def event(self, entry: LedgerEntry) -> None:
        if not isinstance(entry.event, Measured):
            return
        self.n_measured += 1
        self.ended = time.monotonic()
        self.rss.append(_rss())
        if self.n_measured >= self._next:
            self._next += self.moments.randint(*self.kill_every)
            threading.Timer(self.moments.uniform(0, MAX_DELAY), self._kill).start()

    def _kill(self) -> None:
        workers = psutil.Process().children()
        if self.calls is not None:
            pids = {int(line.split()[1]) for line in self.calls.read_text().splitlines()}
            workers = [worker for worker in workers if worker.pid in pids]
        if workers:
            with suppress(psutil.NoSuchProcess):  # it has just left
                self.moments.choice(workers).kill()
                self.n_killed += 1


@dataclass(frozen=True)
class Outcome:
    """Result of one run."""

    measurements: int
    lost: int
    """Asked for, and not recorded with the right value."""
    twice: int
    """Recorded more than once, or asked of the oracle again without a worker's death."""
    workers_killed: int
    tried_again: int
    rss: list[float]
    seconds: float


def measure_many(
    folder: Path,
    n: int,
    *,
    kill_every: tuple[int, int] = KILL_EVERY,
    spares_starting: bool = False,
    seed: int = 0,
) -> Outcome:
    """Run a campaign of n random candidates, killing its workers, and check its ledger.

    Args:
        folder: for the run and the oracle's notes.
        n: measurements.
        kill_every: measurements between two kills, a random number between these.
        spares_starting: whether workers live until they have measured something: on a busy machine
            that starts them slowly, one would be killed again and again, which is an error.
        seed: of the kills.
    """
    calls, run = folder / "calls", folder / "run"
    spec = parse_spec(
        {
            "name": "many",
            "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
            "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
            "budget": {"initial": n, "rounds": 0, "measurements": [n]},
            "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017", "attempts": 10}],
            "execution": {"workers": WORKERS},
        },
        where="benchmark",
    )
    killer = Killer(random.Random(seed), kill_every, calls if spares_starting else None)
    with Controller(
        run, spec, build_oracles=lambda _: [Fake(calls)], observer=killer
    ) as controller:
        state = controller.run()
    with Ledger.open(run, writable=False) as ledger:
        events = [entry.event for entry in ledger.entries()]
    assert verify(run).ok
    measured = [event for event in events if isinstance(event, Measured)]
    right = {
        m.candidate for m in measured if m.properties == {"bulk_modulus": value_of(m.candidate)}
    }
    died = Counter(event.candidate for event in events if isinstance(event, AttemptFailed))
    asked = Counter(line.split()[0] for line in calls.read_text().splitlines())
    asked_again = sum(max(0, times - 1 - died[id]) for id, times in asked.items())
    return Outcome(
        measurements=len(measured),
        lost=len({e.candidate for e in state.evaluations} - right) + n - len(state.evaluations),
        twice=len(measured) - len({m.evaluation for m in measured}) + asked_again,
        workers_killed=killer.n_killed,
        tried_again=died.total(),
        rss=killer.rss,
        seconds=killer.ended - killer.began,
    )


def _rss() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6
