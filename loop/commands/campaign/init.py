"""`alloop init`: a first spec, from five questions."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.errors import SpecError
from alloop.loop.commands.printing.text import say

GOALS = ("maximise", "minimise")


def init(
    name: Annotated[str, typer.Argument(help="of the campaign; NAME.yaml is written")],
    elements: Annotated[
        str | None, typer.Option(metavar="SYMBOLS", help='such as "Ni Fe Cr"')
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="decorations, structures or compositions")
    ] = None,
    goal: Annotated[
        str | None, typer.Option(metavar="WISH", help='such as "maximise bulk_modulus"')
    ] = None,
    measured_by: Annotated[
        str | None, typer.Option(metavar="KIND", help="kind of the tier, such as lammps")
    ] = None,
    measurements: Annotated[int | None, typer.Option(help="how many at most")] = None,
    file: Annotated[
        Path | None, typer.Option(help="the tier's file, where its kind reads one: table")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="what is known already: a table, structures, a run")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="take defaults, ask nothing")] = False,
) -> None:
    """Write a first campaign, commented, from five questions.

    What is not given as an option is asked. Nothing is written unless the campaign passes
    `alloop check`.
    """
    from alloop.campaigns.editing.first_spec import SPACES, FirstAnswers, first_spec, tier_kinds
    from alloop.campaigns.editing.schema import shipped_schema_path
    from alloop.campaigns.load import load_spec, parse_spec
    from alloop.durable import write_durably
    from alloop.files.yaml_text import parse_yaml
    from alloop.loop.checking import check_campaign

    path = Path(f"{name}.yaml")
    if path.exists():
        raise SpecError(
            "the file exists already", where=str(path), remedy="Take another name, or edit it."
        )
    usual = FirstAnswers()

    def ask(given: str | None, question: str, default: str) -> str:
        return given or (default if yes else typer.prompt(question, default=default))

    described = ", ".join(f"{key} ({choice.words})" for key, choice in SPACES.items())
    kind = ask(space, f"What is a material: {described}", usual.space)
    shown = SPACES[kind].elements if kind in SPACES else ()
    answers = FirstAnswers(
        name=name,
        space=kind,
        elements=_symbols(ask(elements, "Which elements", " ".join(shown))),
        **_wish(ask(goal, "What is wanted", f"{usual.goal} {usual.property}")),
        measured_by=ask(measured_by, f"Who measures: {', '.join(tier_kinds())}", usual.measured_by),
        measurements=_number(
            ask(
                None if measurements is None else str(measurements),
                "How many measurements at most",
                str(usual.measurements),
            )
        ),
        file=None if file is None else file.absolute(),
        labels=None if labels is None else labels.absolute(),
    )
    text = first_spec(answers, shipped_schema_path().as_uri())
    for remark in check_campaign(parse_spec(parse_yaml(text, where=str(path)), where=str(path))):
        say(remark)
    write_durably(path.absolute(), text.encode(), is_shared=True)
    load_spec(path)
    say(f"{path}: `alloop check {path}` shows it in full, `alloop launch {path}` runs it")


def _symbols(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").replace("-", " ").split())


def _wish(text: str) -> dict[str, str]:
    words = text.split()
    from alloop.campaigns.spelling import british_word

    if len(words) != 2 or (goal := british_word(words[0])) not in GOALS:
        raise SpecError(
            f"{text!r} is no wish", remedy='Write "maximise bulk_modulus" or "minimise …".'
        )
    return {"goal": str(goal), "property": words[1]}


def _number(text: str) -> int:
    if not text.isdecimal():
        raise SpecError(f"{text!r} is no number of measurements", remedy="Write 60.")
    return int(text)
