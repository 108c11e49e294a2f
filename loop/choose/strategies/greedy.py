"""Greedy composition: always on to the neighbouring compositions of the best so far."""

from collections.abc import Iterator

import numpy as np

from alloop.loop.choose.draft import Draft
from alloop.loop.choose.screening import Seen, lattice_of
from alloop.loop.choose.strategies.batch import Batch
from alloop.loop.choose.strategies.surroundings import surroundings_of
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.pareto import best_first
from alloop.materials import formula_of
from alloop.seeds import derive_seed


def propose_greedy(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int
) -> Proposed:
    """Propose the compositions next to the best so far, in large steps first, until it is the best
    of all its neighbours; then other moves from it.

    A pattern search on the composition (Kolda, Lewis and Torczon, SIAM Review 45, 385, 2003). Of
    decorations the first ordering of each composition decides on it; when all neighbouring ones
    are known, atoms of the best are exchanged.
    """
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    surroundings = surroundings_of(state, store, seen, seed=seed)
    batch, rng = Batch(state, seen, round), np.random.default_rng(seed)
    known = [m.candidate for m in best_first(state, state.known_answers())]
    if (id := next(filter(surroundings.has, known), None)) is not None:
        drafts = _of_new_composition(state, surroundings.compositions(id, rng))
        batch.take(drafts, batch.n_missing, reason=f"a composition next to {id[:10]}, the best")
        batch.take(
            surroundings.near(id, rng), batch.n_missing, reason=f"a move from {id[:10]}, the best"
        )
    batch.fill()
    return batch.proposed(store, {})


def _of_new_composition(state: CampaignState, drafts: Iterator[Draft]) -> Iterator[Draft]:
    """Leave out orderings of a composition on a lattice that was measured on it already."""
    known = {(d.formula, d.lattice) for d in state.decisions.values() if d.lattice is not None}
    for draft in drafts:
        place = (formula_of(draft.material), lattice_of(draft.material, state.spec.space))
        if place not in known:
            yield draft
