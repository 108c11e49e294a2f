"""Events under a chain that holds together, and yet not what a campaign writes."""

from typing import Any

import pytest

from alloop.errors import LedgerError, RunError
from alloop.loop.record.events import Event, SessionOpened, Stage
from alloop.loop.state.folding.fold import fold
from tests.loop.ledger import decision, entries, measured, opened, proposed
from tests.loop.small_campaign import SPEC


def ledger(**changes: Any) -> list[Event]:
    """Return an opening, a proposal and a measurement that was changed."""
    first = decision("a")
    good = measured(0, Stage.INITIAL, first.candidate, {"bulk_modulus": 180.0}, fingerprint="f")
    begun: list[Event] = [opened(SPEC, ["f"]), proposed(0, Stage.INITIAL, [first])]
    return [*begun, good.model_copy(update=changes)]


def test_a_campaigns_own_events_fit() -> None:
    state = fold(entries(*ledger()))
    assert state is not None
    assert len(state.measured) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"properties": {"density": 8.0}}, "3: .*it measured no bulk_modulus"),
        ({"tier": 7}, "there is no tier 7"),
        ({"candidate": "0" * 64}, "candidate 000000000000 was never proposed"),
    ],
)
def test_a_measurement_that_cannot_be_is_refused_by_its_number(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(LedgerError, match=says):
        fold(entries(*ledger(**changes)))


def test_a_proposal_for_no_tier_and_a_scheduling_of_others_are_refused() -> None:
    begun = opened(SPEC, ["f"])
    with pytest.raises(LedgerError, match="does not fit those before it"):
        fold(entries(begun, proposed(0, Stage.INITIAL, [decision("a")], tier=3)))
    with pytest.raises(RunError, match="what a session says of where it runs"):
        fold(entries(begun, SessionOpened(scheduling={"tiers": []})))
