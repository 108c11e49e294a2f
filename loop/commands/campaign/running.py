"""Running a campaign from the command line: progress, Ctrl-C, and what was found."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import typer

from alloop.campaigns.spec import CampaignSpec
from alloop.loop.commands.exit_codes import INTERRUPTED, PAUSED
from alloop.loop.commands.garbage import collect_as_usual
from alloop.loop.commands.printing.progress import ProgressObserver
from alloop.loop.commands.printing.status_table import print_status, print_waiting
from alloop.loop.commands.printing.text import say, say_aside
from alloop.loop.controller import Controller, Interrupted
from alloop.loop.report.page import write_run_report
from alloop.loop.run_folder import RunFolder


def go(
    run: Path, spec: CampaignSpec | None, *, rounds: int | None = None, is_trusted: bool = False
) -> None:
    """Run a campaign to its end or to an interruption, then say what was found.

    Args:
        run: the run's folder.
        spec: the campaign; None to continue the one there is.
        rounds: number of rounds to begin at most; None for all.
        is_trusted: whether the user trusts a run that somebody else began.

    Raises:
        RunError: if somebody else began the run and it is not trusted; and as ``Controller``.
    """
    collect_as_usual()
    interrupted = False
    observer = ProgressObserver()
    with (
        Controller(run, spec, observer=observer, is_trusted=is_trusted) as controller,
        observer,
        _ctrl_c(controller.stop),
    ):
        try:
            controller.run(rounds=rounds)
        except Interrupted:
            interrupted = True
    folder = RunFolder.read(run)
    print_status(run, folder.state)
    if (cif := folder.write_best_cif()) is not None:
        say(f"best structure  {cif}")
    say(f"report          {write_run_report(folder)}")
    say(f"head            {folder.head}")
    print_waiting(run, folder.state)
    if interrupted:
        say(f"stopped; `alloop resume {run}` continues")
        raise typer.Exit(INTERRUPTED)
    if folder.state.paused is not None:
        say(f"paused: {folder.state.paused}")
        say(f"`alloop resume {run} --set budget.wall_time=TIME` goes on, with more time in all")
        raise typer.Exit(PAUSED)


@contextmanager
def _ctrl_c(stop: Callable[[], None]) -> Iterator[None]:
    """Turn the first Ctrl-C into a clean stop; the second one ends at once."""

    def on_signal(signum: int, frame: FrameType | None) -> None:
        stop()
        signal.signal(signal.SIGINT, before)
        say_aside("stopping after the measurements under way; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
