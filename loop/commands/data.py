"""``alloop data``: the public data sets."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(no_args_is_help=True, help="Public data sets: list them, fetch them.")
console = Console()


@app.command("list")
def list_() -> None:
    """List the data sets, and which of them are at hand."""
    from alloop.datasets import DATA_SETS, data_folder  # noqa: PLC0415

    folder = data_folder()
    table = Table("name", "what", "from", "at hand")
    for name, data in DATA_SETS.items():
        there = sum((folder / data.folder / file).is_file() for file in data.files)
        table.add_row(name, data.about, data.source, f"{there} of {len(data.files)} files")
    console.print(table)
    console.print(f"folder {folder}", soft_wrap=True)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="from `alloop data list`")],
) -> None:
    """Download a data set, or say where it lies already.

    materials-project asks the Materials Project, with your own key, for FTCP's crystals.
    """
    if name == "materials-project":
        from alloop.materials_project import fetch_materials_project  # noqa: PLC0415

        console.print(f"at hand    {fetch_materials_project()}", soft_wrap=True, highlight=False)
        return
    from alloop.datasets import known  # noqa: PLC0415
    from alloop.fetching import fetch as fetch_files  # noqa: PLC0415

    for file in fetch_files(name, known(name)):
        done = "downloaded" if file.is_new else "at hand   "
        sums = "as published" if file.is_checked else f"SHA-256 {file.sha256}"
        console.print(f"{done} {file.path} ({sums})", soft_wrap=True, highlight=False)
