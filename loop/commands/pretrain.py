"""`alloop pretrain`: a model trained on other data, for campaigns to start from."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from alloop.errors import SpecError

SHOWN = 5
"""Skipped rows that are named."""


def pretrain(
    spec: Annotated[
        str, typer.Argument(metavar="SPEC", help="campaign whose model it is; a file or a name")
    ],
    table: Annotated[Path, typer.Argument(help="CSV with a column cif and one per property")],
    out: Annotated[Path, typer.Option(help="the checkpoint to write")],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="PROPERTY=COLUMN", help="where a property of the campaign stands"),
    ] = None,
    seed: Annotated[int, typer.Option(help="of the training")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="overrides, such as model.latents=64"),
    ] = None,
) -> None:
    """Train a campaign's FTCP model on a table; `--set model.start_from=FILE` begins with it."""
    from alloop.campaigns.load import load_spec  # noqa: PLC0415 (heavy imports wait)
    from alloop.loop.pretraining import pretrain as train  # noqa: PLC0415

    console = Console()
    with Progress(console=console) as progress:
        task = progress.add_task("training", total=1.0)
        made = train(
            load_spec(spec, set_ or ()),
            table,
            dict(_pair(text) for text in column or ()),
            out,
            seed=seed,
            on_progress=lambda share, message: progress.update(
                task, completed=share, description=message
            ),
        )
    if made.skipped:
        console.print(f"{len(made.skipped)} rows skipped", highlight=False)
        for row in made.skipped[:SHOWN]:
            name = f" ({row.name})" if row.name else ""
            console.print(f"  row {row.row}{name}: {row.reason}", soft_wrap=True, markup=False)
    for name, value in made.summary.metrics.items():
        console.print(f"{name} {value:.4g}", highlight=False)
    console.print(
        f"{made.n_crystals} crystals; {out}, SHA-256 {made.checkpoint}",
        soft_wrap=True,
        highlight=False,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not (name and equals and column):
        raise SpecError(
            f"{text!r} names no column",
            where="--column",
            remedy="Write --column formation_energy_per_atom=heat_all.",
        )
    return name, column
