"""`alloop report`: the page about a run."""

from alloop.loop.commands.arguments import RunArgument
from alloop.loop.commands.printing.text import say


def report(run: RunArgument) -> None:
    """Write RUN/report.html and RUN/best.cif.

    The page is self-contained: one file, to be sent or kept.
    """
    from alloop.loop.report.page import write_run_report
    from alloop.loop.run_folder import RunFolder

    folder = RunFolder.read(run)
    folder.write_best_cif()
    say(f"wrote {write_run_report(folder)}")
