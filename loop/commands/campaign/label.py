"""``alloop label``: what people measured."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.errors import DataError
from alloop.loop.commands.arguments import RemarkOption, RunArgument, TrustOption
from alloop.loop.commands.printing.text import say


def label(
    run: RunArgument,
    candidate: Annotated[
        str | None, typer.Argument(metavar="CANDIDATE", help="an id's beginning, or a formula")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROPERTY=VALUE",
            help='what was measured, or failed="why there is nothing"; also tier=1, and '
            "instead=FORMULA or instead=FILE where another material was made",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="a CSV like RUN/requests.csv, filled in")
    ] = None,
    why: RemarkOption = "",
    resume: Annotated[
        bool, typer.Option(help="go on with the campaign when nothing is waited for any more")
    ] = True,
    trust: TrustOption = False,
) -> None:
    """Record what people measured, and go on.

    The campaign goes on by itself when nothing is waited for any more; a campaign of machines,
    which does not wait, when it is resumed.

    Late, partial, corrected and unrequested results are all taken. A file counts as a whole:
    where one row cannot be used, nothing of it is recorded.
    """
    from alloop.loop.commands.printing.status_table import print_waiting
    from alloop.loop.people.labelling import record_file, record_typed
    from alloop.loop.people.requests.writing import refresh_requests
    from alloop.loop.run_folder import RunFolder
    from alloop.loop.state.corrections import correction_lines
    from alloop.loop.steps import Wait, next_step

    if (file is None) == (candidate is None):
        raise DataError(
            "give either --file, or one candidate and its values",
            remedy="alloop label RUN --file results.csv; alloop label RUN 4f1c2a PROPERTY=VALUE.",
        )
    if file is not None:
        done = record_file(run, file, why)
    else:
        done = record_typed(run, str(candidate), values or (), why=why)
    counts = {
        "answered": done.answered,
        "partly answered": done.partial,
        "unrequested": done.unrequested,
        "corrected": len(done.corrections),
        "unchanged": done.unchanged,
    }
    said = ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "nothing new"
    again = "this file was recorded before; " if done.is_known_file else ""
    say(f"labels: {again}{said}")
    for correction in done.corrections:
        for line in correction_lines(correction):
            say(line)
    folder = RunFolder.read(run)
    step = next_step(folder.state)
    refresh_requests(run, folder.state)
    if step is None or isinstance(step, Wait) or not resume or not folder.state.tiers_of_people:
        print_waiting(run, folder.state)
        say(f"head {folder.head}")
    else:
        from alloop.loop.commands.campaign.running import go

        go(run, None, is_trusted=trust)
