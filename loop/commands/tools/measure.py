"""`alloop measure`: structures from files, outside any campaign."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alloop.errors import AlloopError, PotentialError, SpecError
from alloop.loop.commands.arguments import FormatOption
from alloop.loop.commands.printing.formats import Format, print_csv, print_json
from alloop.loop.commands.printing.output import output_problem
from alloop.loop.commands.printing.text import say_aside
from alloop.properties import joined_notes

if TYPE_CHECKING:
    from alloop.loop.measure.measuring import MeasuredFile
    from alloop.oracles.options import OracleOptions


def measure(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="CIF, POSCAR or extended XYZ, one structure each"),
    ],
    oracle: Annotated[
        Path,
        typer.Option(metavar="ORACLE.yaml", help="one tier, as a campaign's `tiers` has it"),
    ],
    format: FormatOption = Format.TABLE,
    workers: Annotated[
        int, typer.Option(min=1, max=1024, help="worker processes on this machine")
    ] = 1,
) -> None:
    """Measure structures from files, outside campaigns.

    Every file gets an answer: one that cannot be read or measured is a failed measurement with
    the reason, and the exit code is 0 all the same. It is 2 where the oracle itself cannot work.
    """
    from alloop.campaigns.load import load_tier

    tier = load_tier(oracle)  # quick, so that a mistake in it is told before what takes seconds
    from rich.console import Console
    from rich.progress import Progress

    from alloop.loop.measure.measuring import measure_files

    _require_oracle(tier, oracle)
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        bar = progress.add_task("measuring", total=len(files))
        measured = measure_files(
            files,
            tier,
            workers=workers,
            on_progress=lambda done: progress.update(bar, completed=done),
        )
    for each in measured:
        for remark in each.remarks:
            say_aside(f"{each.path}: {remark}")
        for notes in (each.measurement.doubts, each.measurement.remarks):
            if notes:
                say_aside(f"{each.path}: {joined_notes(notes)}")
    match format:
        case Format.JSON:
            print_json(_as_json(measured))
        case Format.CSV:
            names = _property_names(measured)
            print_csv([_flat(each, names) for each in measured])
        case Format.TABLE:
            from alloop.properties import UNITS

            _print_table(measured, UNITS | tier.measures())
    if output_problem():
        _keep(measured)


def _keep(measured: "Sequence[MeasuredFile]") -> None:
    """Write what could not be printed to a file of its own: it may have taken hours."""
    with tempfile.NamedTemporaryFile("w", prefix="alloop-", suffix=".json", delete=False) as file:
        json.dump(_as_json(measured), file, indent=1)
    say_aside(f"the results are kept in {file.name}")


def _as_json(measured: "Sequence[MeasuredFile]") -> list[dict[str, Any]]:
    return [{"file": str(m.path)} | m.measurement.to_json() for m in measured]


def _require_oracle(tier: "OracleOptions", path: Path) -> None:
    """Refuse an oracle that cannot be made, naming the file.

    Raises:
        SpecError: if its potential is unknown, its engine not installed, and so on.
    """
    from alloop.campaigns.parts import build_oracle

    try:
        build_oracle(tier, ())
    except AlloopError as error:
        key = error.where or ("potential" if isinstance(error, PotentialError) else "")
        where = f"{path}: {key}" if key else str(path)
        raise SpecError(error.what, where=where, remedy=error.remedy) from error


def _property_names(measured: "Sequence[MeasuredFile]") -> list[str]:
    return list(dict.fromkeys(name for each in measured for name in each.measurement.properties))


def _flat(file: "MeasuredFile", names: Sequence[str]) -> dict[str, Any]:
    m = file.measurement
    return {
        "file": str(file.path),
        "status": m.status.value,
        **{name: m.properties.get(name) for name in names},
        "failure": "" if m.failure is None else m.failure.kind.value,
        "message": "" if m.failure is None else m.failure.message,
        "oracle": m.oracle,
        "fingerprint": m.fingerprint,
        **vars(m.cost),
    }


def _print_table(measured: "Sequence[MeasuredFile]", units: Mapping[str, str]) -> None:
    from alloop.loop.commands.printing.tables import print_table

    names = _property_names(measured)
    rows = []
    for file in measured:
        m = file.measurement
        rows.append(
            {
                "file": str(file.path),
                **{
                    f"{name} ({units.get(name, '?')})": _digits(m.properties.get(name))
                    for name in names
                },
                "failure": ""
                if m.failure is None
                else f"{m.failure.kind.value}: {m.failure.message}",
            }
        )
    print_table(rows)


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
