"""`alloop verify`: whether a record is whole."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import RunArgument
from alloop.loop.commands.exit_codes import NOT_VERIFIED
from alloop.loop.commands.printing.text import say, say_aside


def verify(
    run: RunArgument,
    head: Annotated[
        str | None, typer.Option(help="a head hash kept elsewhere; finds a tail that was cut off")
    ] = None,
) -> None:
    """Prove that nothing was edited, dropped or moved.

    Every hash of the ledger and of what is stored beside it is computed again. The exit code is 1
    where something does not agree.
    """
    from alloop.loop.record.verification import verify as verify_run

    found = verify_run(run, head=head)
    if not found.ok:
        say_aside(f"not whole: {found.problem}")
        raise typer.Exit(NOT_VERIFIED)
    say(f"whole: {found.n_events} events, head {found.head}")
