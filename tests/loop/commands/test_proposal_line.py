"""What a person reads of a proposal while a campaign runs."""

from collections.abc import Callable

from alloop.loop.commands.printing.proposals import proposal_line
from alloop.loop.record.events import Event, Proposed


def test_a_proposal_says_how_many_were_rejected_and_why(
    make_events: Callable[[], list[Event]],
) -> None:
    proposed = next(event for event in make_events() if isinstance(event, Proposed))
    chosen, rejected = proposed.decisions
    duplicate, outside, unknown = (
        rejected.model_copy(update={"rule": rule}) for rule in ("duplicate", "fractions", "moon")
    )
    decisions = (chosen, duplicate, duplicate, outside, unknown)
    several = proposed.model_copy(update={"decisions": decisions})
    assert proposal_line(several) == (
        "acquisition: 1 of 5 candidates chosen; 2 were duplicates of known ones, "
        "1 lay outside the composition bounds, 1 failed moon"
    )
    alone = proposed.model_copy(update={"decisions": (chosen,)})
    assert proposal_line(alone) == "acquisition: 1 of 1 candidate chosen"
