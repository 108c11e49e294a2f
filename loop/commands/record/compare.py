"""`alloop compare`: strategies side by side, over runs with several seeds."""

import json
from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import complete_runs
from alloop.loop.commands.printing.text import say


def compare(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN...",
            help="run directories, grouped by what differs in their specs; seeds are repeats",
            autocompletion=complete_runs,
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=RUN,RUN", help="a group of your own, by name; repeatable"),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="group to compare with, repeatable; by default random, or the first",
        ),
    ] = None,
    target: Annotated[
        list[float] | None,
        typer.Option(help="value to be reached; by default what the baseline reaches; repeatable"),
    ] = None,
    at: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N", help="number of labels to compare at; by default the most that all have"
        ),
    ] = None,
    band: Annotated[
        str, typer.Option(help="what is shown of several seeds: quartiles or standard-error")
    ] = "quartiles",
    optimum: Annotated[
        float | None, typer.Option(help="best possible value, if known, to count regret from")
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(metavar="PROPERTY=VALUE", help="reference point of the hypervolume"),
    ] = None,
    allow_differences: Annotated[
        bool,
        typer.Option(
            "--allow-differences", help="compare runs of other spaces, constraints or oracles too"
        ),
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write a page with all curves")
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="write everything as JSON")
    ] = None,
) -> None:
    """Compare strategies over runs with several seeds.

    Best so far and regret against the number of labels, labels to reach a value, acceleration and
    enhancement factors over a baseline, and paired tests over seeds.
    """
    from alloop.durable import write_durably
    from alloop.loop.commands.printing.comparison import print_comparison
    from alloop.loop.compare.as_json import comparison_to_json
    from alloop.loop.compare.comparison import compare as compare_runs
    from alloop.loop.compare.options import band_named, labels_in, reference_in

    found = compare_runs(
        runs or (),
        labels=labels_in(label or ()),
        baselines=baseline or (),
        targets=target or (),
        at=at or (),
        band=band_named(band),
        optimum=optimum,
        reference=reference_in(reference or ()),
        allow_differences=allow_differences,
    )
    print_comparison(found)
    if json_ is not None:
        text = json.dumps(comparison_to_json(found), ensure_ascii=False, allow_nan=False, indent=1)
        write_durably(json_, f"{text}\n".encode())
        say(f"wrote {json_}")
    if html is not None:
        from alloop.loop.compare.page import write_comparison_page

        write_comparison_page(found, html)
        say(f"wrote {html}")
