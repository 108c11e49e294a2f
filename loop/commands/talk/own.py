"""`alloop add` and `alloop score`: candidates of one's own, from files."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import FormatOption, ReasonOption, RunArgument
from alloop.loop.commands.printing.formats import Format
from alloop.loop.commands.printing.text import say

FilesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE…",
        help="CIF, POSCAR or extended XYZ; of compositions a CSV with a column formula or "
        "columns of elements",
    ),
]


def add(
    run: RunArgument,
    files: FilesArgument,
    why: ReasonOption,
    format: FormatOption = Format.TABLE,
) -> None:
    """Queue candidates of your own for the next batch.

    They are scored where there is a surrogate, and measured before any of the campaign's. What lies
    outside the space or is known already is refused with the reason; the others are queued.
    """
    from alloop.loop.commands.printing.suggestions import print_suggestions
    from alloop.loop.people.materials_in import materials_in
    from alloop.loop.python.campaign import Campaign
    from alloop.loop.run_folder import RunFolder

    space = RunFolder.read(run).state.spec.space
    decisions = Campaign(run).add_candidates(materials_in(files, space), why=why)
    folder = RunFolder.read(run)
    print_suggestions(decisions, folder.state, format, empty="nothing to add")
    if format is Format.TABLE:
        say(f"{len(folder.state.by_hand.queue)} candidates are queued for the next batch")
        say(f"head {folder.head}")


def score(run: RunArgument, files: FilesArgument, format: FormatOption = Format.TABLE) -> None:
    """Show what the campaign expects of your candidates.

    Nothing is recorded.
    """
    from alloop.loop.commands.printing.suggestions import print_suggestions
    from alloop.loop.people.materials_in import materials_in
    from alloop.loop.python.campaign import Campaign
    from alloop.loop.run_folder import RunFolder

    state = RunFolder.read(run).state
    scored = Campaign(run).score(materials_in(files, state.spec.space))
    print_suggestions(scored, state, format, empty="nothing to score")
