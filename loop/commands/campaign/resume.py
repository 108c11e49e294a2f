"""`alloop resume`: a campaign, from where it stopped."""

from alloop.loop.commands.arguments import RunArgument, SetOption


def resume(run: RunArgument, set_: SetOption = None) -> None:
    """Continue a run from where it was interrupted.

    What says where and how long it runs may be set anew, such as budget.wall_time of a run that
    paused.
    """
    from alloop.loop.commands.campaign.running import go

    if not set_:
        go(run, None)
        return
    from alloop.campaigns.load import overridden
    from alloop.loop.run_folder import RunFolder

    go(run, overridden(RunFolder.read(run).state.spec, set_))
