"""``python -m alloop``: the command line."""

from alloop.loop.commands.cli import main

main()
