"""`alloop resume`: a campaign, from where it stopped."""

from alloop.loop.commands.arguments import RoundsOption, RunArgument, SetOption, TrustOption


def resume(
    run: RunArgument,
    rounds: RoundsOption = None,
    set_: SetOption = None,
    trust: TrustOption = False,
) -> None:
    """Continue a run from where it was interrupted.

    What says where and how long it runs may be set anew, such as budget.wall_time of a run that
    paused. A run that somebody else began is not continued before you have said --trust, once;
    without it you are told what would run: engines and how they are started, packages, checkpoints.
    """
    from alloop.loop.commands.campaign.running import go

    if not set_:
        go(run, None, rounds=rounds, is_trusted=trust)
        return
    from alloop.campaigns.load import overridden
    from alloop.loop.run_folder import RunFolder

    spec = overridden(RunFolder.read(run).state.spec, set_)
    go(run, spec, rounds=rounds, is_trusted=trust)
