"""``python -m alloop``: the command line."""

from alloop.loop.commands.app import main

main()
