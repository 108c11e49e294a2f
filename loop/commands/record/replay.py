"""`alloop replay`: whether a round's decisions follow again."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import RunArgument
from alloop.loop.commands.exit_codes import NOT_VERIFIED
from alloop.loop.commands.printing.text import say, say_aside


def replay(
    run: RunArgument,
    round: Annotated[int, typer.Argument(metavar="ROUND", help="one that a model proposed")],
) -> None:
    """Compute a round's decisions again, and compare.

    From the stored model and data, without measuring anything or writing into the run. The exit
    code is 1 where a decision comes out otherwise.
    """
    from alloop.loop.record.overlay import OverlayStore
    from alloop.loop.replay import replay as replay_round
    from alloop.loop.run_folder import RunFolder

    folder = RunFolder.read(run)
    found = replay_round(folder.entries, OverlayStore(folder.store.folder), round)
    if not found.agrees:
        for line in found.differences:
            say_aside(line)
        raise typer.Exit(NOT_VERIFIED)
    say(
        f"round {found.round}: all {found.n_decisions} decisions follow again from the stored "
        "model and data, with the same scores"
    )
