"""The command line in a process of its own."""

import sys


def alloop(*words: str) -> tuple[str, ...]:
    """Return a command that is ``alloop`` of this interpreter."""
    return sys.executable, "-c", "from alloop.loop.commands.app import main; main()", *words
