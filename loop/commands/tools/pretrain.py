"""`alloop pretrain`: a model trained on other data, for campaigns to start from."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.errors import SpecError
from alloop.files.visible_text import visible
from alloop.loop.commands.arguments import SetOption, SpecArgument
from alloop.loop.commands.printing.text import say

SHOWN = 5
"""Skipped rows that are named."""


def pretrain(
    spec: SpecArgument,
    table: Annotated[
        Path, typer.Argument(help="CSV with a column cif, or formula, and one per property")
    ],
    out: Annotated[Path, typer.Option(help="the checkpoint to write")],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="PROPERTY=COLUMN", help="where a property of the campaign stands"),
    ] = None,
    seed: Annotated[int, typer.Option(help="of the training")] = 0,
    set_: SetOption = None,
) -> None:
    """Train a campaign's model on a table.

    A campaign begins with it by `--set model.start_from=FILE`.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from alloop.campaigns.load import load_spec
    from alloop.loop.pretraining import pretrain as train

    # The text comes from the model: no markup.
    text = TextColumn("{task.description}", markup=False)
    with Progress(text, BarColumn(), TimeElapsedColumn()) as progress:
        task = progress.add_task("training", total=1.0)
        made = train(
            load_spec(spec, set_ or ()),
            table,
            dict(_pair(text) for text in column or ()),
            out,
            seed=seed,
            on_progress=lambda share, message: progress.update(
                task, completed=share, description=visible(message)
            ),
        )
    if made.skipped:
        say(f"{len(made.skipped)} rows skipped")
        for row in made.skipped[:SHOWN]:
            name = f" ({row.name})" if row.name else ""
            say(f"  row {row.row}{name}: {row.reason}")
    for name, value in made.summary.metrics.items():
        say(f"{name} {value:.4g}")
    say(f"{made.n_materials} materials; {out}, SHA-256 {made.checkpoint}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not (name and equals and column):
        raise SpecError(
            f"{text!r} names no column",
            where="--column",
            remedy="Write --column formation_energy_per_atom=heat_all.",
        )
    return name, column
