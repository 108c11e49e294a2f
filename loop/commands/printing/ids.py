"""Ids short enough to type, and long enough to mean one candidate."""

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from alloop.loop.record.stored_events import outline_of
from alloop.loop.state.brought import labels_in

if TYPE_CHECKING:
    from alloop.loop.state.campaign_state import CampaignState

FEWEST_DIGITS = 12


def digits_needed(ids: Iterable[str]) -> int:
    """Return the number of digits that tell all ids apart, ``FEWEST_DIGITS`` at least."""
    ordered = sorted(set(ids))
    needed = (
        _first_difference(*pair) + 1
        for pair in pairwise(ordered)
        if pair[0][:FEWEST_DIGITS] == pair[1][:FEWEST_DIGITS]
    )
    return max((FEWEST_DIGITS, *needed))


def _first_difference(one: str, other: str) -> int:
    places = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(places) if a != b), min(len(one), len(other)))


def candidate_ids(state: "CampaignState") -> set[str]:
    """Return the ids of everything that was ever considered or brought: what a short id must be
    told from."""
    considered = {d["candidate"] for proposal in state.proposals for d in outline_of(proposal)}
    return considered | {label.candidate for _, label in labels_in(state.brought)}
