"""`alloop change`: other terms for a campaign that has begun."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import RunArgument, TrustOption, WhyOption
from alloop.loop.commands.printing.text import say


def change(
    run: RunArgument,
    set_: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="new terms, such as budget.rounds=8"),
    ],
    why: WhyOption,
    trust: TrustOption = False,
) -> None:
    """Change the terms of a campaign, also when it has ended.

    Budgets, bounds of the space, objectives, constraints, acquisition, and how often tiers are
    asked may change. What was decided before stands as it is, under the terms of then. A change
    after which labels would lose their meaning is refused, and so is one that empties the space.
    """
    from alloop.campaigns.changes import described
    from alloop.loop.people.changing import change as change_terms

    done = change_terms(run, set_, why=why, is_trusted=trust)
    terms = done.terms
    say(f"terms {terms.number} (entry {terms.seq}), by {terms.who}: {terms.why}")
    for path, (old, new) in (terms.changes or {}).items():
        say(f"  {path}: {described(old)}, now {described(new)}")
    if done.closed is None:
        say(f"`alloop resume {run}` goes on under them")
    else:
        say(f"the campaign is over under them, too: {done.closed}")
    say(f"head {done.head}")
