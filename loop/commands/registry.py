"""Every command by its name; nothing here is imported that takes time."""

from collections.abc import Callable
from typing import Annotated

import typer

from alloop import __version__
from alloop.loop.commands.analysis.design import design
from alloop.loop.commands.analysis.evaluate import evaluate
from alloop.loop.commands.analysis.importance import importance
from alloop.loop.commands.analysis.latent import latent
from alloop.loop.commands.campaign.campaigns import campaigns
from alloop.loop.commands.campaign.change import change
from alloop.loop.commands.campaign.check import check
from alloop.loop.commands.campaign.init import init
from alloop.loop.commands.campaign.jobs import jobs
from alloop.loop.commands.campaign.label import label
from alloop.loop.commands.campaign.launch import launch
from alloop.loop.commands.campaign.report import report
from alloop.loop.commands.campaign.resume import resume
from alloop.loop.commands.campaign.retract import retract
from alloop.loop.commands.campaign.runs import runs
from alloop.loop.commands.campaign.serve import serve
from alloop.loop.commands.campaign.status import status
from alloop.loop.commands.record.audit import audit
from alloop.loop.commands.record.compare import compare
from alloop.loop.commands.record.corrections import corrections
from alloop.loop.commands.record.digest import digest
from alloop.loop.commands.record.explain import explain
from alloop.loop.commands.record.impact import impact
from alloop.loop.commands.record.replay import replay
from alloop.loop.commands.record.verify import verify
from alloop.loop.commands.talk.bring import bring
from alloop.loop.commands.talk.create import create
from alloop.loop.commands.talk.own import add, score
from alloop.loop.commands.talk.suggest import suggest
from alloop.loop.commands.talk.veto import veto
from alloop.loop.commands.tools.data import app as data
from alloop.loop.commands.tools.dataset import dataset
from alloop.loop.commands.tools.export import export
from alloop.loop.commands.tools.import_ import import_
from alloop.loop.commands.tools.kinds import kinds
from alloop.loop.commands.tools.mcp import mcp
from alloop.loop.commands.tools.measure import measure
from alloop.loop.commands.tools.potentials import potentials
from alloop.loop.commands.tools.pretrain import pretrain
from alloop.loop.commands.tools.schema import schema
from alloop.loop.commands.tools.settings import settings

COMMANDS: dict[Callable[..., None], str] = {
    init: 'alloop init mine --elements "Ni Fe" --goal "maximise bulk_modulus"',
    launch: "alloop launch nifecr-bulk-modulus --set budget.rounds=2",
    resume: "alloop resume runs/nifecr-bulk-modulus",
    check: "alloop check mine.yaml",
    campaigns: "alloop campaigns --format json",
    runs: "alloop runs",
    status: "alloop status runs/nifecr-bulk-modulus",
    jobs: 'alloop jobs runs/nifecr-bulk-modulus --retry 4f1c2a9b03 --why "its node hangs"',
    change: 'alloop change runs/nifecr-bulk-modulus --set budget.rounds=8 --why "still rising"',
    create: "alloop create mine.yaml --run runs/mine",
    bring: "alloop bring runs/mine known.csv structures.extxyz",
    suggest: "alloop suggest runs/mine -n 8",
    add: 'alloop add runs/mine *.cif --why "from the literature"',
    score: "alloop score runs/mine *.cif",
    veto: 'alloop veto runs/mine 4f1c2a9b03 --why "cobalt is not to be had"',
    label: "alloop label runs/lab 4f1c2a9b03 bulk_modulus=191.2",
    retract: 'alloop retract runs/nifecr-bulk-modulus 4f1c2a9b03 --why "wrong potential"',
    report: "alloop report runs/nifecr-bulk-modulus",
    serve: "alloop serve runs",
    compare: "alloop compare runs/random-* runs/latent-bo-* --html compared.html",
    audit: "alloop audit runs/nifecr-bulk-modulus --round 2 --format csv",
    explain: "alloop explain runs/nifecr-bulk-modulus 4f1c2a9b03",
    impact: "alloop impact runs/nifecr-bulk-modulus 4f1c2a9b03",
    latent: "alloop latent runs/nifecr-bulk-modulus --colour phase --html latent.html",
    design: "alloop design runs/nifecr-bulk-modulus --target bulk_modulus=195 --out designs",
    importance: "alloop importance runs/nifecr-bulk-modulus --html importance.html",
    evaluate: "alloop evaluate runs/nifecr-bulk-modulus --format json",
    verify: "alloop verify runs/nifecr-bulk-modulus --head HASH",
    replay: "alloop replay runs/nifecr-bulk-modulus 2",
    digest: "alloop digest runs/nifecr-bulk-modulus",
    corrections: "alloop corrections runs/lab",
    export: "alloop export runs/nifecr-bulk-modulus --to handed-over",
    import_: "alloop import handed-over >> mine.yaml",
    kinds: "alloop kinds --format json",
    schema: "alloop schema > schema.json",
    settings: "alloop settings --example",
    potentials: "alloop potentials Ni Al",
    measure: "alloop measure *.cif --oracle oracle.yaml --format csv",
    pretrain: "alloop pretrain ftcp-formation-energy table.csv --out trained.safetensors",
    dataset: "alloop dataset nifecr --out tables",
    mcp: "alloop mcp runs --write",
}
"""Each command, in the order of the help, with an example of it."""

# Without rich's panels: they take more time than everything else that `--help` does.
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Closed-loop discovery campaigns for materials.\n\n"
    "A campaign says what to look for. Alloop trains a generative model, proposes candidates "
    "where the model is promising and unsure, has them measured, learns from the answers and "
    "goes round again. Begin with `alloop launch nifecr-bulk-modulus`.",
    epilog="`alloop COMMAND --help` says more, with an example.",
)
for command, example in COMMANDS.items():
    name = command.__name__.removesuffix("_")  # "import" cannot be a function's
    app.command(name, epilog=f"Example: {example}")(command)
app.add_typer(data, name="data")


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="print the version and exit")] = False,
) -> None:
    if version:
        print(f"alloop {__version__}")
        raise typer.Exit
