"""`alloop import`: what an export holds, as the beginning of another campaign."""

from pathlib import Path
from typing import Annotated

import typer


def import_(
    export: Annotated[
        Path, typer.Argument(metavar="DIR", help="a folder that `alloop export` has written")
    ],
) -> None:
    """Print an export's labels as the start of a spec.

    Put it into a spec, or append it. Labels of each tier count for the tier of the same number;
    write tier: other where that is another fidelity.
    """
    import yaml

    from alloop.loop.export.labels import start_of

    print(yaml.safe_dump(start_of(export), sort_keys=False, allow_unicode=True), end="")
