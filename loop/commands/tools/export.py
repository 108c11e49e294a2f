"""`alloop export`: a run in the forms that others read."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import RunArgument
from alloop.loop.commands.printing.text import say


def export(
    run: RunArgument,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="a folder that does not exist")],
) -> None:
    """Write a run's measurements and structures into a new folder.

    CSV, JSON, extended XYZ, CIF and OPTIMADE's JSON; an RO-Crate that says by PROV where each came
    from; and, where the best was measured by LAMMPS, remeasure.sh with plain input for it, by which
    anybody with LAMMPS gets the same numbers.
    """
    from alloop.loop.export.folder import export as export_run
    from alloop.loop.run_folder import RunFolder

    found = export_run(RunFolder.read(run), to)
    say(f"wrote {found.n_measurements} measurements and {found.n_structures} structures to {to}")
    if found.remeasured is not None:
        say(f"{to / 'remeasure.sh'} measures {found.remeasured.candidate[:12]} again")
