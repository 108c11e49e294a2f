"""Arguments and options that several commands take, and how a shell completes them."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.printing.formats import Format


def _specs(incomplete: str) -> Iterator[str]:
    """Yield ready campaigns' names, and YAML files, that begin with what was typed."""
    for file in resources.files("alloop.campaigns").joinpath("ready").iterdir():
        name = file.name.removesuffix(".yaml")
        if name != file.name and name.startswith(incomplete):
            yield name
    yield from map(str, _beginning_with(incomplete, "*.yaml"))


def _runs(incomplete: str) -> Iterator[str]:
    """Yield folders that hold a ledger, in the folder typed so far or in ``runs``."""
    for start in dict.fromkeys((incomplete, incomplete or "runs/")):
        yield from (str(path.parent) for path in _beginning_with(start, "*/ledger.sqlite"))


def _beginning_with(incomplete: str, pattern: str) -> Iterator[Path]:
    folder = Path(incomplete if incomplete.endswith("/") else f"{incomplete}x").parent
    if incomplete.endswith("/"):
        folder = Path(incomplete)
    for path in sorted(folder.glob(pattern)):
        if str(path).startswith(incomplete):
            yield path


SpecArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="a YAML file, or a name from `alloop campaigns`",
        autocompletion=_specs,
    ),
]
RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="a run directory: runs/NAME", autocompletion=_runs)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="overrides, such as budget.rounds=2"),
]
FormatOption = Annotated[Format, typer.Option(help="how to print it")]
