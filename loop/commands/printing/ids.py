"""Ids short enough to type, and long enough to mean one candidate."""

from collections.abc import Iterable
from itertools import pairwise

FEWEST_DIGITS = 12


def digits_needed(ids: Iterable[str]) -> int:
    """Return the number of digits that tell all ids apart, ``FEWEST_DIGITS`` at least."""
    every = ids if isinstance(ids, set) else set(ids)
    if len({id[:FEWEST_DIGITS] for id in every}) == len(every):
        return FEWEST_DIGITS  # without sorting a hundred thousand
    ordered = sorted(every)
    needed = (
        _first_difference(*pair) + 1
        for pair in pairwise(ordered)
        if pair[0][:FEWEST_DIGITS] == pair[1][:FEWEST_DIGITS]
    )
    return max((FEWEST_DIGITS, *needed))


def _first_difference(one: str, other: str) -> int:
    places = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(places) if a != b), min(len(one), len(other)))
