"""The command line: parse, call, print."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from alloop import __version__
from alloop.campaigns.load import load_spec, ready_campaigns
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import AlloopError
from alloop.loop.commands import data
from alloop.loop.commands.dataset import dataset
from alloop.loop.commands.label import label
from alloop.loop.commands.measure import measure
from alloop.loop.commands.output import Format, print_csv, print_json
from alloop.loop.commands.pretrain import pretrain

EXIT_BAD_INPUT = 2
EXIT_NOT_VERIFIED = 1
EXIT_INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Closed-loop discovery campaigns for materials.\n\n"
    "A campaign says what to look for. Alloop trains a generative model, proposes candidates "
    "where the model is promising and unsure, has them measured, learns from the answers and "
    "goes round again. Begin with `alloop launch nifecr-bulk-modulus`.",
)
console = Console()
stderr = Console(stderr=True)

SpecArgument = Annotated[
    str, typer.Argument(metavar="SPEC", help="a YAML file, or a name from `alloop campaigns`")
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="a run directory: runs/NAME")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="overrides, such as budget.rounds=2"),
]


def main() -> None:
    """Run the command line; errors of the user's become one line and exit code 2."""
    try:
        app(standalone_mode=True)
    except AlloopError as error:
        stderr.print(f"[red]error:[/red] {_escaped(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(EXIT_BAD_INPUT)


@app.command()
def launch(
    spec: SpecArgument,
    run: Annotated[
        Path | None, typer.Option(help="where to keep the run; runs/NAME if not given")
    ] = None,
    set_: SetOption = None,
) -> None:
    """Run a campaign. On a run that has begun already, the same command continues it."""
    from alloop.loop.run_folder import RUNS  # noqa: PLC0415 (heavy imports wait until they are needed)

    loaded = load_spec(spec, set_ or ())
    go(run or RUNS / loaded.name, loaded)


@app.command()
def resume(run: RunArgument) -> None:
    """Continue a run after anything at all happened to it."""
    go(run, None)


@app.command()
def check(spec: SpecArgument, set_: SetOption = None) -> None:
    """Check a campaign without running it, and print its full form, defaults filled in."""
    from alloop.loop.opening import spec_to_json, spec_to_yaml  # noqa: PLC0415

    loaded = load_spec(spec, set_ or ())
    loaded.build_oracles()
    print(spec_to_yaml(spec_to_json(loaded)), end="")


@app.command()
def campaigns() -> None:
    """List the ready-to-run campaigns."""
    table = Table("name", "elements", "wanted", "budget")
    for name, path in ready_campaigns().items():
        spec = load_spec(path)
        wanted = ", ".join(f"{o.goal} {o.property}" for o in spec.objectives)
        budget = f"{spec.budget.rounds} rounds, {spec.budget.measurements[0]} measurements"
        table.add_row(name, "–".join(spec.space.elements), wanted, budget)
    console.print(table)


@app.command()
def potentials(
    elements: Annotated[
        list[str] | None, typer.Argument(help="only those that cover all of these: Ni Al")
    ] = None,
) -> None:
    """List the interatomic potentials that a LAMMPS tier can name."""
    from alloop.oracles.lammps.potentials.catalogue import list_potentials  # noqa: PLC0415

    table = Table("name", "pair style", "elements", "citation")
    for potential in list_potentials():
        if set(elements or ()) <= set(potential.elements):
            covered = ", ".join(potential.elements)
            table.add_row(potential.name, potential.pair_style, covered, potential.citation)
    console.print(table)


@app.command()
def status(run: RunArgument) -> None:
    """Say where a run stands; a controller may be working on it meanwhile."""
    from alloop.loop.commands.console import print_status, print_waiting  # noqa: PLC0415
    from alloop.loop.run_folder import RunFolder  # noqa: PLC0415

    folder = RunFolder.read(run)
    print_status(console, folder.state)
    print_waiting(console, run, folder.state)
    console.print(f"head {folder.head}", soft_wrap=True)


@app.command()
def report(run: RunArgument) -> None:
    """Write RUN/report.html, one self-contained page, and RUN/best.cif."""
    from alloop.loop.report.page import write_run_report  # noqa: PLC0415
    from alloop.loop.run_folder import RunFolder  # noqa: PLC0415

    folder = RunFolder.read(run)
    folder.write_best_cif()
    console.print(f"wrote {write_run_report(folder)}", soft_wrap=True)


@app.command()
def audit(
    run: RunArgument,
    round: Annotated[int | None, typer.Option(help="only the decisions of this round")] = None,
    candidate: Annotated[
        str | None, typer.Option(help="explain one candidate, by the beginning of its id")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="prove that nothing was edited, dropped or reordered")
    ] = False,
    head: Annotated[
        str | None, typer.Option(help="with --verify: a head hash kept elsewhere; finds a cut tail")
    ] = None,
    digest: Annotated[
        bool, typer.Option("--digest", help="print one hash over all decisions and values")
    ] = False,
    replay: Annotated[
        int | None, typer.Option(metavar="ROUND", help="recompute the decisions of a round")
    ] = None,
    corrections: Annotated[
        bool,
        typer.Option(
            "--corrections", help="list corrected values, and what had been built on them"
        ),
    ] = False,
    format: Annotated[Format, typer.Option(help="how to print decisions")] = Format.TABLE,
) -> None:
    """Say why the campaign did what it did, and prove that the record is whole."""
    if verify or head is not None:
        return _verify(run, head)
    from alloop.loop.commands.audit_rows import find_candidate, flat  # noqa: PLC0415
    from alloop.loop.record.verification import digest as digest_of  # noqa: PLC0415
    from alloop.loop.replay import replay as replay_round  # noqa: PLC0415
    from alloop.loop.run_folder import RunFolder  # noqa: PLC0415
    from alloop.loop.state.trials import all_trials, ancestry  # noqa: PLC0415

    folder = RunFolder.read(run)
    if corrections:
        _print_corrections(folder.entries)
    elif digest:
        print(digest_of(folder.entries))
    elif replay is not None:
        _print_replay(replay_round(folder.entries, folder.store, replay))
    else:
        id = None if candidate is None else find_candidate(folder.state, candidate)
        rows = [flat(trial, folder.state) for trial in all_trials(folder.state)]
        _print_rows(
            [
                row
                for row in rows
                if round in (None, row["round"]) and id in (None, row["candidate"])
            ],
            format,
            folder.state.spec.property_names(),
        )
        if id is not None and format is Format.TABLE:
            _print_ancestry(ancestry(folder.state, id))
    return None


# The commands of `loop/commands/` follow in the help.
for command in (label, measure, pretrain, dataset):
    app.command()(command)
app.add_typer(data.app, name="data")


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version and exit")] = False,
) -> None:
    if version:
        print(f"alloop {__version__}")
        raise typer.Exit


def go(run: Path, spec: CampaignSpec | None) -> None:
    """Run a campaign to its end or to an interruption, then say what was found."""
    from alloop.loop.commands.console import ProgressObserver, print_status, print_waiting  # noqa: PLC0415
    from alloop.loop.controller import Controller, Interrupted  # noqa: PLC0415
    from alloop.loop.report.page import write_run_report  # noqa: PLC0415
    from alloop.loop.run_folder import RunFolder  # noqa: PLC0415

    interrupted = False
    with (
        ProgressObserver(console) as observer,
        Controller(run, spec, observer=observer) as controller,
        _ctrl_c(controller.stop),
    ):
        try:
            controller.run()
        except Interrupted:
            interrupted = True
    folder = RunFolder.read(run)
    print_status(console, folder.state)
    if (cif := folder.write_best_cif()) is not None:
        console.print(f"best structure  {cif}", soft_wrap=True)
    console.print(f"report          {write_run_report(folder)}", soft_wrap=True)
    console.print(f"head            {folder.head}", soft_wrap=True)
    print_waiting(console, run, folder.state)
    if interrupted:
        console.print(f"stopped; `alloop resume {run}` continues", soft_wrap=True)
        raise typer.Exit(EXIT_INTERRUPTED)


@contextmanager
def _ctrl_c(stop: Callable[[], None]) -> Iterator[None]:
    """Turn the first Ctrl-C into a clean stop; the second one ends at once."""

    def on_signal(signum: int, frame: FrameType | None) -> None:
        stop()
        signal.signal(signal.SIGINT, before)
        stderr.print("stopping after the measurements under way; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _verify(run: Path, head: str | None) -> None:
    from alloop.loop.record.verification import verify  # noqa: PLC0415

    found = verify(run, head=head)
    if found.ok:
        console.print(f"whole: {found.n_events} events, head {found.head}", soft_wrap=True)
        return
    where = "" if found.first_bad is None else f"event {found.first_bad}: "
    stderr.print(f"[red]not whole:[/red] {where}{_escaped(found.problem)}", soft_wrap=True)
    raise typer.Exit(EXIT_NOT_VERIFIED)


def _print_rows(flat: Sequence[dict[str, Any]], format: Format, names: Sequence[str]) -> None:
    from alloop.loop.commands.console import print_rows  # noqa: PLC0415

    match format:
        case Format.JSON:
            print_json(flat)
        case Format.CSV:
            print_csv(flat)
        case Format.TABLE:
            print_rows(console, flat, names)


def _print_corrections(entries: Sequence[Any]) -> None:
    from alloop.loop.state.corrections import correction_lines, corrections_in  # noqa: PLC0415

    found = corrections_in(entries)
    for correction in found:
        print("\n".join(correction_lines(correction)))
    if not found:
        print("no value was ever corrected")


def _print_ancestry(chain: Sequence[Any]) -> None:
    for depth, decision in enumerate(chain):
        lineage = decision.lineage
        match lineage.source:
            case "swap":
                text = f"sites {lineage.swap[0]} and {lineage.swap[1]} exchanged in its parent"
            case "latent":
                text = (
                    f"decoded by model {lineage.model[:10]} from row {lineage.row} of latents "
                    f"{lineage.latents[:10]}, seed {lineage.seed}"
                )
            case source:
                text = source if lineage.seed is None else f"{source}, seed {lineage.seed}"
        console.print(f"{'  ' * depth}{decision.candidate[:10]}: {text}; {decision.reason}")


def _print_replay(replay: Any) -> None:
    if replay.agrees:
        console.print(
            f"round {replay.round}: all {replay.n_decisions} decisions follow again from the "
            "stored model and data, with the same scores"
        )
        return
    for line in replay.differences:
        stderr.print(line, markup=False)
    raise typer.Exit(EXIT_NOT_VERIFIED)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
