"""``alloop data``: the public data sets."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import FormatOption
from alloop.loop.commands.printing.formats import Format, print_list
from alloop.loop.commands.printing.text import say


def _names(incomplete: str) -> list[str]:
    from alloop.public_data.datasets import DATA_SETS

    return [name for name in DATA_SETS if name.startswith(incomplete)]


app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List public data sets, or fetch one."
)


@app.command("list", epilog="Example: alloop data list --format csv")
def list_(format: FormatOption = Format.TABLE) -> None:
    """List the data sets, and which are at hand."""
    from alloop.public_data.datasets import DATA_SETS, data_folder

    folder = data_folder()
    rows = []
    for name, data in DATA_SETS.items():
        there = sum((folder / data.folder / file).is_file() for file in data.files)
        rows.append(
            {
                "name": name,
                "what": data.about,
                "from": data.source,
                "files at hand": f"{there} of {len(data.files)}",
            }
        )
    print_list(rows, format, whole=("name",), empty="there is none")
    if format is Format.TABLE:
        say(f"folder {folder}")


@app.command(epilog="Example: alloop data fetch hea")
def fetch(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="from `alloop data list`", autocompletion=_names),
    ],
) -> None:
    """Download a data set, or say where it lies already.

    materials-project asks the Materials Project, with your own key, for FTCP's crystals.
    """
    if name == "materials-project":
        from alloop.public_data.materials_project import fetch_materials_project

        say(f"at hand    {fetch_materials_project()}")
        return
    from alloop.public_data.datasets import known
    from alloop.public_data.fetching import fetch as fetch_files

    for file in fetch_files(name, known(name)):
        done = "downloaded" if file.is_new else "at hand   "
        sums = "as published" if file.is_checked else f"SHA-256 {file.sha256}"
        say(f"{done} {file.path} ({sums})")
