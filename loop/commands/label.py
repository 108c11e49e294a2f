"""``alloop label``: what people measured."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from alloop.errors import DataError

console = Console()


def label(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a run directory: runs/NAME")],
    candidate: Annotated[
        str | None, typer.Argument(metavar="CANDIDATE", help="an id's beginning, or a formula")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROPERTY=VALUE", help='what was measured, or failed="why there is nothing"'
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="a CSV like RUN/requests.csv, filled in")
    ] = None,
    resume: Annotated[
        bool, typer.Option(help="go on with the campaign when nothing is waited for any more")
    ] = True,
) -> None:
    """Record labels of a tier that people measure, and go on when all are there.

    Late, partial, corrected and unrequested results are all taken. A file counts as a whole:
    where one row cannot be used, nothing of it is recorded.
    """
    from alloop.loop.commands.cli import go  # noqa: PLC0415 (the command line imports this module)
    from alloop.loop.commands.console import print_waiting  # noqa: PLC0415
    from alloop.loop.people.labelling import record_file, record_typed  # noqa: PLC0415
    from alloop.loop.people.requests import write_requests  # noqa: PLC0415
    from alloop.loop.run_folder import RunFolder  # noqa: PLC0415
    from alloop.loop.state.corrections import correction_lines  # noqa: PLC0415
    from alloop.loop.steps import Wait, next_step  # noqa: PLC0415

    if (file is None) == (candidate is None):
        raise DataError(
            "give either --file, or one candidate and its values",
            remedy="alloop label RUN --file results.csv; alloop label RUN 4f1c2a PROPERTY=VALUE.",
        )
    if file is not None:
        done = record_file(run, file)
    else:
        done = record_typed(run, str(candidate), values or ())
    counts = {
        "answered": done.answered,
        "partly answered": done.partial,
        "unrequested": done.unrequested,
        "corrected": len(done.corrections),
        "unchanged": done.unchanged,
    }
    said = ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "nothing new"
    again = "this file was recorded before; " if done.is_known_file else ""
    console.print(f"labels: {again}{said}", soft_wrap=True)
    for correction in done.corrections:
        console.print("\n".join(correction_lines(correction)), soft_wrap=True, markup=False)
    folder = RunFolder.read(run)
    step = next_step(folder.state)
    if isinstance(step, Wait):
        write_requests(run, folder.state, step.evaluations)
    if step is None or isinstance(step, Wait) or not resume:
        print_waiting(console, run, folder.state)
        console.print(f"head {folder.head}", soft_wrap=True)
    else:
        go(run, None)
