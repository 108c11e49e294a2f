"""`alloop design`: materials that the last model decodes for target values."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import FormatOption, RunArgument, SeedOption
from alloop.loop.commands.printing.formats import Format, print_json, print_list
from alloop.loop.commands.printing.text import say_aside


def design(
    run: RunArgument,
    target: Annotated[
        str,
        typer.Option(metavar="PROPERTY=VALUE", help="what is wished, such as bulk_modulus=195"),
    ] = "",
    between: Annotated[
        tuple[str, str],
        typer.Option(metavar="A B", help="interpolate between two candidates, by their ids"),
    ] = ("", ""),
    invert: Annotated[
        str,
        typer.Option(metavar="ID", help="change a candidate as little as --target takes"),
    ] = "",
    around: Annotated[str, typer.Option(metavar="ID", help="sample around a candidate")] = "",
    radius: Annotated[
        float,
        typer.Option(min=0, help="of --around, in units of the latent space's own spread"),
    ] = 0.5,
    n: Annotated[int, typer.Option("-n", min=2, max=1000, metavar="N", help="designs")] = 8,
    seed: SeedOption = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="write each as CIF; of alloys a CSV of formulas"),
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Decode materials for target values with the last model.

    At a target, between two candidates, around one, or from one by the smallest change. Every
    design is encoded again and predicted itself, with its uncertainty, its distance from what
    was learnt, and why the campaign would refuse it. Nothing is recorded: `alloop add` queues them.
    """
    from alloop.loop.analyse.design import design as designs_of
    from alloop.loop.analyse.trained_run import TrainedRun
    from alloop.loop.commands.analysis.shown import digits_of, shown_design
    from alloop.loop.run_folder import RunFolder

    folder = RunFolder.read(run)
    found = designs_of(
        TrainedRun.of(folder.state, folder.store),
        target=target,
        between=between if any(between) else None,
        invert=invert,
        around=around,
        radius=radius,
        n=n,
        seed=seed,
    )
    rows, names = found.rows(), folder.state.spec.property_names()
    digits = digits_of(folder.state)
    if format is Format.JSON:
        print_json({"how": found.how, "notes": list(found.notes), "designs": rows})
    else:
        print_list(
            rows,
            format,
            empty="nothing was designed",
            whole=("candidate",),
            shown=lambda row: shown_design(row, digits, names),
        )
    say_aside(f"{found.how}; predicted: {', '.join(names)}")
    for note in found.notes:
        say_aside(note)
    if out is not None:
        from alloop.loop.analyse.design_files import write_designs

        say_aside(f"wrote {', '.join(map(str, write_designs(found, out)))}")
