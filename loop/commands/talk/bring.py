"""`alloop bring`: labels that one has already, while a campaign is open."""

from pathlib import Path
from typing import Annotated

import typer

from alloop.loop.commands.arguments import RemarkOption, RunArgument
from alloop.loop.commands.printing.text import say


def bring(
    run: RunArgument,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="tables (.csv, .json), structures with labels (.extxyz) or without, or runs",
        ),
    ],
    why: RemarkOption = "",
) -> None:
    """Bring labels that you have already, at no cost.

    What `start` of a spec takes is taken here too, while the campaign is open. A file counts as a
    whole: where one label cannot be used, nothing of any is recorded.
    """
    from alloop.campaigns.start import LabelSource
    from alloop.loop.people.bringing import bring_labels, read_sources
    from alloop.loop.people.who import user_name
    from alloop.loop.run_folder import RunFolder

    state = RunFolder.read(run).state
    sources = [LabelSource(file=path) for path in files]
    known = read_sources(sources, state.spec, state.fingerprints)
    brought = bring_labels(run, known, who=user_name(), why=" ".join(why.split()))
    for remark in brought.remarks:
        say(remark)
    say(f"brought: {brought.n_labelled} with labels, {brought.n_unlabelled} without")
    say(f"head {RunFolder.read(run).head}")
