"""`alloop suggest`: the next batch, without measuring it."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import FormatOption, RunArgument, TrustOption
from alloop.loop.commands.printing.formats import Format
from alloop.loop.commands.printing.text import say


def suggest(
    run: RunArgument,
    n: Annotated[
        int | None,
        typer.Option("-n", min=1, help="number of candidates; by default the campaign's own batch"),
    ] = None,
    format: FormatOption = Format.TABLE,
    trust: TrustOption = False,
) -> None:
    """Show the next batch, and measure nothing.

    The model is trained where that is due. What it took is kept: `alloop resume` measures this
    very batch, and asking again shows it again. Meanwhile candidates may be vetoed, added, or
    labelled by hand.
    """
    from alloop.loop.commands.printing.suggestions import print_suggestions
    from alloop.loop.python.campaign import Campaign
    from alloop.loop.run_folder import RunFolder

    campaign = Campaign.open(run, trust=trust)
    batch = campaign.suggest(n)
    folder = RunFolder.read(run)
    state = folder.state
    print_suggestions(batch, state, format, empty=f"nothing to suggest: {state.closed or 'none'}")
    if format is Format.TABLE:
        say(f"head {folder.head}")
