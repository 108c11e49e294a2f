"""The pool of candidates when nothing is decoded: draws from the space, or the rows of a table."""

from collections.abc import Iterator

import numpy as np

from alloop.errors import MaterialError
from alloop.loop.choose.draft import Draft
from alloop.loop.choose.random_candidates import random_materials
from alloop.loop.choose.rows.rows import table_rows
from alloop.loop.choose.screening import Seen, screen
from alloop.loop.record.events import Lineage
from alloop.loop.state.campaign_state import CampaignState

DRAWS_PER_CHOICE = 20
"""Number of random draws per wanted candidate before a batch is left short."""


def draws(state: CampaignState, seen: Seen, seed: int, n: int) -> Iterator[Draft]:
    """Yield materials in a random order that the seed decides: n drawn from the space, or all
    rows of the table that are not measured yet and lie in the space, where candidates are rows.
    None where nothing can be drawn, but something was brought.

    Raises:
        RunError: if the table is not the one that the campaign began with.
    """
    if state.spec.draws_rows:
        drafts = available_rows(state, seen)
        for place in np.random.default_rng(seed).permutation(len(drafts)):
            yield drafts[place]
    else:
        try:
            materials = random_materials(state.spec.space, seed, n)
        except MaterialError:
            if not state.brought:
                raise
            return  # what was brought is all that there is to begin with, and to move from
        for material in materials:
            yield Draft(material, Lineage(source="random", seed=seed))


def available_rows(state: CampaignState, seen: Seen) -> list[Draft]:
    """Return the rows of the table that could still be chosen, in the file's order.

    Raises:
        RunError: if the table is not the one that the campaign began with.
    """
    return [
        Draft(material, Lineage(source="table", row=row))
        for row, material in enumerate(table_rows(state))
        if screen(material, state.spec.space, seen) is None
    ]


def available_draws(state: CampaignState, seen: Seen, seed: int, n: int) -> list[Draft]:
    """Return n materials drawn from the space that could be chosen, fewer if many cannot."""
    known = seen.overlay()
    passed: list[Draft] = []
    for draft in draws(state, seen, seed, DRAWS_PER_CHOICE * n):
        if len(passed) == n:
            break
        if screen(draft.material, state.spec.space, known) is None:
            known.add(draft.id, draft.material)
            passed.append(draft)
    return passed
