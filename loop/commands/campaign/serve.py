"""`alloop serve`: the report of runs as pages that go on while they do."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import complete_runs
from alloop.loop.commands.printing.text import say, say_aside


def serve(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN…|FOLDER",
            help="runs, or folders of runs",
            autocompletion=complete_runs,
        ),
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="port to listen on; 0 takes a free one")
    ] = 8642,
    host: Annotated[
        str,
        typer.Option(help="address to listen on; any but this machine's own asks for a token"),
    ] = "127.0.0.1",
) -> None:
    """Show the report of runs in a browser, live, until Ctrl-C.

    Several runs, or a folder, have a list with state, best and time left. Runs may begin, end and
    go on meanwhile. Nothing is written, and no controller is held up. On an address other than
    this machine's own, each request needs the token that is printed.
    """
    from alloop.loop.serve.running import serve as serve_runs

    def announce(address: str) -> None:
        say(f"serving {address}")
        sys.stdout.flush()  # a program that started it waits for the address
        if "token=" in address:
            say_aside("Whoever has this address can read the runs; it is not encrypted.")

    serve_runs(runs, host=host, port=port, announce=announce)
