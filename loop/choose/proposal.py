"""Proposals at random: the first labels, and the baseline to compare with."""

from alloop.loop.choose.candidate_pool import DRAWS_PER_CHOICE, draws
from alloop.loop.choose.draft import take
from alloop.loop.choose.screening import Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.seeds import derive_seed


def propose_random(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int, stage: Stage, size: int
) -> Proposed:
    """Propose materials drawn from the space, or rows of the table, uniformly."""
    seed = derive_seed(state.spec.seed, stage, round)
    size = min(size, state.remaining())
    drafts = draws(state, seen, seed, DRAWS_PER_CHOICE * size)
    decisions = take(state, seen.overlay(), drafts, size, reason="drawn at random")
    store.put_materials([draft.material for draft, _ in decisions])
    return Proposed(round=round, stage=stage, decisions=tuple(d for _, d in decisions))
