"""`alloop retract`: measurements that are not to be believed any more."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import RunArgument
from alloop.loop.commands.printing.text import say


def retract(
    run: RunArgument,
    why: Annotated[str, typer.Option(help="the reason, which is recorded with your name")],
    candidate: Annotated[
        str | None, typer.Argument(metavar="ID", help="a candidate, by the beginning of its id")
    ] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option(help="all measurements by an oracle of this fingerprint, by its beginning"),
    ] = None,
    tier: Annotated[int | None, typer.Option(help="only this tier's; all if not given")] = None,
    measure_again: Annotated[
        bool, typer.Option("--measure-again", help="have them measured once more")
    ] = False,
) -> None:
    """Take measurements back; the campaign goes on without them.

    They stay on record, and what they cost stays paid. Nothing is fitted to them, compared with
    them or promoted by them any more, and no other campaign reuses them. `alloop impact` lists
    what had been built on them.
    """
    from alloop.loop.people.retracting import retract as take_back
    from alloop.loop.run_folder import RunFolder
    from alloop.loop.state.choices import find_candidate

    id = "" if candidate is None else find_candidate(RunFolder.read(run).state, candidate)
    done = take_back(
        run,
        id,
        why=why,
        fingerprint=fingerprint or "",
        tier=tier,
        again=measure_again,
    )
    n = len(done.retractions)
    what = "1 measurement" if n == 1 else f"{n} measurements"
    first = done.retractions[0]
    say(f"{what} taken back (entry {first.seq}), by {first.event.who}: {first.event.why}")
    if done.n_cached:
        say(f"{done.n_cached} removed from the labels that other campaigns reuse")
    for tier_, one in enumerate(RunFolder.read(run).state.fingerprints):
        if fingerprint and one == first.measured.fingerprint:
            say(f"tier {tier_} still measures by this fingerprint, and its labels will be believed")
    say(f"`alloop impact {run} {first.measured.candidate[:12]}` lists what was built on it")
    if done.closed is not None:
        say(f"the campaign is over without it, too: {done.closed}")
    else:
        say(f"`alloop resume {run}` goes on")
    say(f"head {done.head}")
