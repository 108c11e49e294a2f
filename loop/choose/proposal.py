"""Proposals at random: the first labels, and the baseline to compare with."""

import numpy as np

from alloop.loop.choose.candidate_pool import DRAWS_PER_CHOICE, draws
from alloop.loop.choose.draft import Draft, take
from alloop.loop.choose.screening import Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Proposed, Stage
from alloop.loop.state.brought import without_own_value
from alloop.loop.state.campaign_state import CampaignState
from alloop.seeds import derive_seed


def propose_initial(state: CampaignState, store: ArtifactStore, seen: Seen) -> Proposed:
    """Propose the first candidates: materials that were brought without the first tier's value, at
    most half of all, then such as are drawn at random.

    What was brought is worth a look, and pairs of values tell how another fidelity's differ.
    """
    size = min(state.spec.budget.initial, state.remaining())
    wanted = without_own_value(state)
    seed = derive_seed(state.spec.seed, Stage.INITIAL, 0, "brought")
    order = np.random.default_rng(seed).permutation(len(wanted))
    known = seen.overlay()
    drafts = (
        Draft(store.get_material(wanted[place]), Lineage(source="brought")) for place in order
    )
    reason = "brought without this tier's value"
    brought = take(state, known, drafts, size // 2, reason=reason)
    n_taken = sum(decision.chosen for _, decision in brought)
    drawn = _drawn(state, store, known, round=0, stage=Stage.INITIAL, size=size - n_taken)
    decisions = (*(decision for _, decision in brought), *drawn)
    return Proposed(round=0, stage=Stage.INITIAL, decisions=decisions)


def propose_random(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int, stage: Stage, size: int
) -> Proposed:
    """Propose materials drawn from the space, or rows of the table, uniformly."""
    decisions = _drawn(state, store, seen.overlay(), round=round, stage=stage, size=size)
    return Proposed(round=round, stage=stage, decisions=decisions)


def _drawn(
    state: CampaignState, store: ArtifactStore, known: Seen, *, round: int, stage: Stage, size: int
) -> tuple[Decision, ...]:
    seed = derive_seed(state.spec.seed, stage, round)
    size = min(size, state.remaining())
    drafts = draws(state, known, seed, DRAWS_PER_CHOICE * size)
    decisions = take(state, known, drafts, size, reason="drawn at random")
    store.put_materials([draft.material for draft, _ in decisions])
    return tuple(decision for _, decision in decisions)
