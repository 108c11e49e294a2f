"""What is served: found in its folders, looked at cheaply, and read and rendered when it changed.

A change of a ledger shows in the size and times of its files, which cost some microseconds to ask
for. Only then is the ledger read from where it was left, and rendered if somebody looks at it.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alloop.errors import AlloopError, RunError, one_line
from alloop.loop.record.ledger_file import LEDGER, controller_process
from alloop.loop.report.words import units_of_campaign
from alloop.loop.run_list import ListedRun, listed_state
from alloop.loop.serve.following import FollowedRun
from alloop.loop.serve.pages import ListRow, list_row, run_page, runs_page, sentence_page
from alloop.loop.standing import RunState
from alloop.loop.state.campaign_state import CampaignState

LOOK = 0.05
"""Seconds between two looks at the files."""
SCAN = 1.0
"""Seconds between two looks for new runs in a folder."""
RETRY = 5.0
"""Seconds until a run that could not be read is tried again without a change."""
LINGER = 60.0
"""Seconds for which the events of a run that nobody works on are kept after a look at its page."""
BREAK = 2.0
"""A run is rendered at most for one part in so many + 1 of the time, however fast it goes on."""

log = logging.getLogger(__name__)

Mark = tuple[object, ...]
"""What changes when a run goes on, or somebody begins or ends to work on it."""


def mark_of(run: Path) -> Mark:
    """Return the marks of a run's files. The time of the inode tells of writes and of rights."""
    found: list[object] = [controller_process(run)]
    for name in (LEDGER, f"{LEDGER}-wal"):
        try:
            status = (run / name).stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            found.append(error.errno)
            continue
        # Readers make an empty journal where there is none, and take it away.
        if name == LEDGER or status.st_size:
            found.append((status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns))
    return tuple(found)


@dataclass(frozen=True)
class Shown:
    """A page as it is served."""

    version: str
    """Hash of what it says; empty before it was made."""
    html: str


NOTHING = Shown("", "")


def shown(html: str) -> Shown:
    """Return a page with its version filled in."""
    version = hashlib.sha256(html.encode()).hexdigest()[:16]
    return Shown(version, html.replace('data-version=""', f'data-version="{version}"', 1))


class ServedRun:
    """One run: its row of the list, and its page while somebody looks at it."""

    def __init__(self, name: str, path: Path, *, is_alone: bool) -> None:
        self.name = name
        """Name in addresses."""
        self.path = path
        self.page = NOTHING
        self.row: ListRow = list_row(name, ListedRun(path, RunState.UNREADABLE, "not read yet"))
        self.viewers = 0
        self._is_alone = is_alone
        self._followed = FollowedRun(path)
        self._lock = threading.Lock()
        self._read_mark: Mark | None = None
        self._state: tuple[CampaignState, str] | None = None
        self._is_rendered = False
        self._problem = ""
        self._retry_at = self._render_at = self._needed_until = 0.0

    def refresh(self, *, rendered: bool) -> None:
        """Read what is new, and render the page if asked to and necessary."""
        with self._lock:
            mark = mark_of(self.path)
            if mark != self._read_mark or (self._problem and time.monotonic() > self._retry_at):
                self._read(mark)
            if rendered and not self._is_rendered:
                self._render()
            if rendered:
                self._needed_until = time.monotonic() + LINGER
            is_needed = self.viewers or time.monotonic() < self._needed_until
            if self._state and not is_needed and self.row.state is not RunState.RUNNING:
                self._state = None
                self._followed.rest()

    def is_due(self) -> bool:
        """Return whether it may be rendered again: not all the time, on a machine that computes."""
        return time.monotonic() >= self._render_at

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Keep the page up to date meanwhile."""
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    def _read(self, mark: Mark) -> None:
        began = time.monotonic()
        before = (self._state and self._state[1], self.row, self._followed.notice)
        try:
            state, head = self._followed.read()
            with units_of_campaign(state.spec):
                row = list_row(self.name, listed_state(self.path, state))
            self._state, self._problem = (state, head), ""
        except Exception as error:
            self._fail(error)
            row = list_row(self.name, ListedRun(self.path, RunState.UNREADABLE, self._problem))
        self.row, self._read_mark = row, mark
        # The files change, too, when SQLite moves its journal into the ledger.
        if self._state is None or before != (self._state[1], row, self._followed.notice):
            self._is_rendered = False
        self._pause_after(began)

    def _render(self) -> None:
        began = time.monotonic()
        if self._state is None and not self._problem:
            self._read(mark_of(self.path))
        notice = self._followed.notice
        try:
            if self._state is None:
                raise RunError(self._problem)
            state, head = self._state
            self.page = shown(
                run_page(self.row, state, head, self.path, notice=notice, is_alone=self._is_alone)
            )
        except Exception as error:
            if self._state is not None:
                self._fail(error)
            self.page = shown(
                sentence_page(
                    self.row.name,
                    f"This run cannot be shown: {self._problem}",
                    notice=notice,
                    is_alone=self._is_alone,
                )
            )
        self._is_rendered = True
        self._pause_after(began)

    def _fail(self, error: Exception) -> None:
        """Keep what went wrong as a sentence: one run must not end the others' pages."""
        self._state, self._retry_at = None, time.monotonic() + RETRY
        if isinstance(error, AlloopError):
            self._problem = f"{error.what}. {error.remedy}".strip().removesuffix(".") + "."
        else:
            log.exception("a run could not be shown: %s", self.path)
            self._problem = f"{one_line(error)}."

    def _pause_after(self, began: float) -> None:
        now = time.monotonic()
        self._render_at = now + BREAK * (now - began)


class Watch:
    """All that is served. ``start`` has a thread look at it until ``close``."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Find the runs.

        Raises:
            RunError: if a path is no run and no folder.
        """
        for path in paths:
            if not path.is_dir():
                raise RunError(
                    "there is no run, and no folder of runs, here",
                    where=str(path),
                    remedy="Name runs, or a folder with runs in it.",
                )
        self.paths = tuple(dict.fromkeys(paths))
        self.is_alone = len(self.paths) == 1 and (self.paths[0] / LEDGER).exists()
        """Whether one run is served, and no folder in which others may appear."""
        self.closed = threading.Event()
        self._runs: dict[str, ServedRun] = {}
        self._listed: tuple[ServedRun, ...] = ()
        self._list: tuple[Sequence[ListRow], Shown] = ((), NOTHING)
        """Rows, and the page that shows them."""
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
        self._scan()

    @property
    def page(self) -> Shown:
        """The list of runs."""
        return self._list[1]

    @property
    def runs(self) -> Mapping[str, ServedRun]:
        """Runs by their names in addresses; those that are gone keep theirs."""
        return self._runs

    def start(self) -> None:
        """Have a thread look from now on."""
        self._thread.start()

    def close(self) -> None:
        """End; whoever waits for news is let go."""
        self.closed.set()

    def _work(self) -> None:
        scanned = 0.0
        while not self.closed.is_set():
            try:
                if time.monotonic() - scanned > SCAN:
                    self._scan()
                    scanned = time.monotonic()
                self.look()
            except Exception:  # of the machine, such as no memory: the next look may do
                log.exception("the runs could not be looked at")
            self.closed.wait(LOOK)

    def look(self) -> None:
        """Look at each run once, and bring what changed up to date."""
        for run in self._listed:
            if run.is_due():
                run.refresh(rendered=run.viewers > 0)
        self._show_list()

    def _show_list(self) -> None:
        rows, (before, page) = [run.row for run in self._listed], self._list
        if page is NOTHING or rows != before:
            self._list = rows, shown(runs_page(rows, self.paths))

    def _scan(self) -> None:
        listed = []
        known = {run.path: run for run in self._runs.values()}
        for path in self._found():
            if (run := known.get(path)) is None:
                name = _free_name(path, self._runs)
                run = ServedRun(name, path, is_alone=self.is_alone)
                known[path] = self._runs[name] = run
            listed.append(run)
        self._listed = tuple(listed)

    def _found(self) -> list[Path]:
        found: list[Path] = []
        for path in self.paths:
            if (path / LEDGER).exists() or self.is_alone:
                found.append(path)
            else:
                found += sorted(ledger.parent for ledger in path.glob(f"*/{LEDGER}"))
        return list(dict.fromkeys(found))


def _free_name(path: Path, taken: Mapping[str, object]) -> str:
    """Return a run's name in addresses: its folder's, numbered if another run has that."""
    name = path.resolve().name or "run"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
