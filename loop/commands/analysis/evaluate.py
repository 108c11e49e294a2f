"""`alloop evaluate`: how good a run's model is, and how its predictions held."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import FormatOption, RunArgument, SeedOption
from alloop.loop.commands.printing.formats import Format, print_list
from alloop.loop.commands.printing.text import say_aside


def evaluate(
    run: RunArgument,
    n: Annotated[
        int,
        typer.Option("-n", min=2, metavar="N", help="materials that are generated, and rebuilt"),
    ] = 64,
    seed: SeedOption = 0,
    format: FormatOption = Format.TABLE,
) -> None:
    """Measure how good the last model is.

    Reconstruction, validity, uniqueness, novelty, diversity and coverage of what it generates,
    and the calibration of what the campaign predicted before it measured. Shares and means have
    95 % intervals.
    """
    from alloop.loop.analyse.evaluation import evaluate as evaluation_of
    from alloop.loop.commands.analysis.shown import shown_figure
    from alloop.loop.run_folder import RunFolder

    folder = RunFolder.read(run)
    found = evaluation_of(folder.state, folder.store, n=n, seed=seed, on_step=say_aside)
    print_list(found.rows(), format, empty="nothing to show", shown=shown_figure)
    for note in found.notes:
        say_aside(note)
