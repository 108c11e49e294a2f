"""`alloop launch`: a campaign, from its spec."""

from pathlib import Path

from alloop.loop.commands.arguments import (
    NewRunOption,
    RoundsOption,
    SetOption,
    SpecArgument,
    TrustOption,
)


def launch(
    spec: SpecArgument,
    run: NewRunOption = None,
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
