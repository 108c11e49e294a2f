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
    files = map(str, sorted(_folder(incomplete).glob("*.yaml")))
    yield from (file for file in files if file.startswith(incomplete))


def complete_runs(incomplete: str) -> Iterator[str]:
    """Yield folders that hold a ledger, in the folder typed so far and in ``runs``."""
    for folder in dict.fromkeys((_folder(incomplete), Path("runs"))):
        for ledger in sorted(folder.glob("*/ledger.sqlite")):
            if (run := str(ledger.parent)).startswith(incomplete):
                yield run


def _folder(incomplete: str) -> Path:
    """Return the folder of a path of which the beginning was typed."""
    path = Path(incomplete)
    return path if incomplete.endswith("/") else path.parent


SpecArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="a YAML file, or a name from `alloop campaigns`",
        autocompletion=_specs,
    ),
]
RunArgument = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="a run directory: runs/NAME", autocompletion=complete_runs),
]
FolderArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="that the runs are in; runs if not given")
]
NewRunOption = Annotated[
    Path | None, typer.Option(help="where to keep the run; runs/NAME if not given")
]
_CANDIDATE = typer.Argument(metavar="ID", help="a candidate, by the beginning of its id")
CandidateArgument = Annotated[str, _CANDIDATE]
OptionalCandidateArgument = Annotated[str | None, _CANDIDATE]
FingerprintOption = Annotated[
    str | None,
    typer.Option(help="all measurements by an oracle of this fingerprint, by its beginning"),
]
OfTierOption = Annotated[int | None, typer.Option(help="only this tier's; all if not given")]
WhyOption = Annotated[str, typer.Option(help="the reason, which is recorded with your name")]
ReasonOption = Annotated[str, typer.Option(metavar="REASON", help="why, for the record")]
RemarkOption = Annotated[str, typer.Option(metavar="REMARK", help="a remark, for the record")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="overrides, such as budget.rounds=2"),
]
RoundsOption = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="begin at most N rounds besides the one under way"),
]
TrustOption = Annotated[
    bool, typer.Option("--trust", help="go on with a run that somebody else began; see the docs")
]
FormatOption = Annotated[Format, typer.Option(help="how to print it")]
HtmlOption = Annotated[Path | None, typer.Option(metavar="FILE", help="write a page of figures")]
PngOption = Annotated[Path | None, typer.Option(metavar="FILE", help="write a picture")]
SeedOption = Annotated[int, typer.Option(min=0, help="of everything that is drawn")]
