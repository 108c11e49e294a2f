"""`alloop resume`: a campaign, from where it stopped."""

from alloop.loop.commands.arguments import RunArgument


def resume(run: RunArgument) -> None:
    """Continue a run from where it was interrupted."""
    from alloop.loop.commands.campaign.running import go

    go(run, None)
