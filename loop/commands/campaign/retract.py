"""`alloop retract`: measurements that are not to be believed any more."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import (
    FingerprintOption,
    OfTierOption,
    OptionalCandidateArgument,
    RunArgument,
    WhyOption,
)
from alloop.loop.commands.printing.text import say


def retract(
    run: RunArgument,
    why: WhyOption,
    candidate: OptionalCandidateArgument = None,
    fingerprint: FingerprintOption = None,
    tier: OfTierOption = None,
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
    n, n_labels, event = len(done.retractions), len(done.labels), done.event
    what = [
        "1 measurement" if n == 1 else f"{n} measurements" if n else "",
        "1 label that was brought"
        if n_labels == 1
        else f"{n_labels} labels that were brought"
        if n_labels
        else "",
    ]
    seq = min((*(r.seq for r in done.retractions), *(b.seq for b in done.labels)))
    taken = " and ".join(filter(None, what))
    say(f"{taken} taken back (entry {seq}), by {event.who}: {event.why}")
    if done.n_cached:
        say(f"{done.n_cached} removed from the labels that other campaigns reuse")
    for tier_, one in enumerate(RunFolder.read(run).state.fingerprints):
        if one == event.fingerprint:
            say(f"tier {tier_} still measures by this fingerprint, and its labels will be believed")
    of_what = f"--fingerprint {event.fingerprint[:12]}" if fingerprint else id[:12]
    say(f"`alloop impact {run} {of_what}` lists what was built on it")
    if done.closed is not None:
        say(f"the campaign is over without it, too: {done.closed}")
    else:
        say(f"`alloop resume {run}` goes on")
    say(f"head {done.head}")
