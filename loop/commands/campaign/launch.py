"""`alloop launch`: a campaign, from its spec."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import RoundsOption, SetOption, SpecArgument, TrustOption


def launch(
    spec: SpecArgument,
    run: Annotated[
        Path | None, typer.Option(help="where to keep the run; runs/NAME if not given")
    ] = None,
    set_: SetOption = None,
    rounds: RoundsOption = None,
    trust: TrustOption = False,
) -> None:
    """Run a campaign, or go on with it.

    On a run that has begun already, the same command continues it.
    """
    from alloop.campaigns.load import load_spec

    loaded = load_spec(spec, set_ or ())
    from alloop.loop.commands.campaign.running import go

    go(run or Path("runs") / loaded.name, loaded, rounds=rounds, is_trusted=trust)
