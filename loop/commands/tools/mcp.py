"""`alloop mcp`: tools for an agent, over standard input and output."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import FolderArgument


def mcp(
    folder: FolderArgument = Path("runs"),
    write: Annotated[
        bool, typer.Option("--write", help="let the agent change, start and stop runs")
    ] = False,
    programs: Annotated[
        bool, typer.Option("--programs", help="with --write: also runs that start programs or jobs")
    ] = False,
) -> None:
    """Let an agent read the runs of a folder, or drive them.

    It speaks the Model Context Protocol on standard input and output; an agent's client starts it.
    Without --write nothing is changed. With it, what the agent does is recorded under your name and
    the one that its client gives. It reaches nothing outside the folder.
    """
    from alloop.errors import DataError, MissingSoftware
    from alloop.loop.commands.agents.runs import ServedFolder

    if programs and not write:
        raise DataError("--programs allows nothing by itself", remedy="Give --write as well.")
    served = ServedFolder.of(folder, allows_writing=write, allows_programs=programs)
    try:
        import anyio

        from alloop.loop.commands.agents.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        raise MissingSoftware(
            "the package mcp is not installed", remedy="Install it: pip install 'alloop[agents]'."
        ) from error
    anyio.run(serve, served)
