"""`alloop digest`: one number to compare two runs by."""

from alloop.loop.commands.arguments import RunArgument


def digest(run: RunArgument) -> None:
    """Print one hash over all decisions and values.

    Two runs that decided and measured the same have the same, however they were interrupted.
    """
    from alloop.loop.record.verification import digest as digest_of
    from alloop.loop.run_folder import RunFolder

    print(digest_of(RunFolder.read(run).entries))
