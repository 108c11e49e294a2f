"""`alloop resume`: a campaign, from where it stopped."""

from alloop.loop.commands.arguments import RunArgument, TrustOption


def resume(run: RunArgument, trust: TrustOption = False) -> None:
    """Continue a run from where it was interrupted.

    A run that somebody else began is not continued before you have said --trust, once; without it
    you are told what would run: engines and how they are started, packages, checkpoints.
    """
    from alloop.loop.commands.campaign.running import go

    go(run, None, is_trusted=trust)
