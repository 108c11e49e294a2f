"""`alloop dataset`: a table of relaxed and measured cells, to train on."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.errors import SpecError
from alloop.loop.commands.printing.text import say

RECIPES = {"nifecr": (("Ni", "Fe", "Cr"), "NiFeCr-Wu2017")}
"""Elements and potential, by name."""


def dataset(
    name: Annotated[str, typer.Argument(help="what to make; there is nifecr")],
    out: Annotated[Path, typer.Option(help="folder of the tables")],
    cells: Annotated[
        str, typer.Option(help="two-atom cells along each edge; 2x2x2 is 16 atoms")
    ] = "2x2x2",
    per_composition: Annotated[
        int, typer.Option(min=1, help="random orderings of each composition on each lattice")
    ] = 20,
    local_search_share: Annotated[
        float, typer.Option(min=0, max=1, help="of the orderings, improved by local search as well")
    ] = 0.0,
    search_iterations: Annotated[int, typer.Option(min=1, help="of local search")] = 20,
    search_swaps: Annotated[int, typer.Option(min=1, help="tried in an iteration")] = 20,
    test_share: Annotated[
        float, typer.Option(min=0, max=0.9, help="of the pairs of formula and phase, held out")
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="of the orderings, the search and the split")] = 0,
) -> None:
    """Make a data set with the LAMMPS oracle.

    The same command goes on after an interruption.
    """
    if name not in RECIPES:
        raise SpecError(f"no data set {name}", remedy=f"There is {', '.join(RECIPES)}.")
    elements, potential = RECIPES[name]
    edge = _edge(cells)
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from alloop.loop.dataset import DatasetPlan, make_dataset
    from alloop.oracles.lammps.options import LammpsOptions
    from alloop.oracles.lammps.oracle import LammpsOracle

    plan = DatasetPlan(
        elements=elements,
        atoms=2 * edge**3,
        per_composition=per_composition,
        search_share=local_search_share,
        search_iterations=search_iterations,
        search_swaps=search_swaps,
        test_share=test_share,
        seed=seed,
    )
    oracle = LammpsOracle(LammpsOptions(potential=potential), elements=elements)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("orderings measured")
        made = make_dataset(
            plan,
            oracle,
            out,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    say(f"{made.n_training} rows  {made.training}")
    say(f"{made.n_test} rows  {made.test}")
    if made.n_failed:
        say(f"{made.n_failed} failed, with reasons  {made.failed}")


def _edge(cells: str) -> int:
    """Return n of "nxnxn".

    Raises:
        SpecError: if it is not of that form.
    """
    parts = cells.lower().split("x")
    if len(parts) != 3 or len(set(parts)) != 1 or not parts[0].isdecimal() or int(parts[0]) < 1:
        raise SpecError(
            f"{cells!r} is no number of cells along three equal edges",
            where="--cells",
            remedy="Give 2x2x2 (16 atoms) or 3x3x3 (54 atoms).",
        )
    return int(parts[0])
