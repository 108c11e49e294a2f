"""`alloop report`: the page about a run."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import RunArgument, complete_runs
from alloop.loop.commands.printing.text import say


def report(
    run: RunArgument,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="another run of the same search, drawn beside; may be given again",
            autocompletion=complete_runs,
        ),
    ] = None,
) -> None:
    """Write RUN/report.html and RUN/best.cif.

    The page is self-contained: one file, to be sent or kept.
    """
    from alloop.loop.compare.comparability import require_comparable
    from alloop.loop.compare.runs import Run, read_run
    from alloop.loop.report.figures.trajectory import OtherRun
    from alloop.loop.report.page import write_run_report
    from alloop.loop.run_folder import RunFolder

    folder = RunFolder.read(run)
    others = [read_run(path) for path in beside or ()]
    if others:
        require_comparable([Run(run, folder.state), *others], allow_differences=False)
    folder.write_best_cif()
    drawn = [OtherRun(other.name, other.state) for other in others]
    say(f"wrote {write_run_report(folder, drawn)}")
