"""The edge of the trust region, from the success of the rounds so far."""

from alloop.loop.record.events import Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.pareto import has_improved

GROWTH, SHRINKAGE = 1.5, 0.7
"""Factors after a round whose acquisition did, or did not, beat everything before it: a better best
or, where the Pareto front is sought, a larger hypervolume."""
MAX_DUPLICATE_SHARE = 0.5
"""Share of duplicates among decoded candidates above which the region holds too little that is new,
and grows."""
SMALLEST, LARGEST = 0.5, 2.0
"""Bounds of the edge, in units of the first edge."""


def trust_region_edge(state: CampaignState, round: int) -> float:
    """Return the edge of the trust region for a round, in the extent of the measured latents."""
    first = state.spec.acquisition.trust_region
    assert first is not None  # the spec fills it in where it counts
    edge = first
    for earlier in range(1, round):
        edge *= GROWTH if _should_grow(state, earlier) else SHRINKAGE
        edge = min(max(edge, SMALLEST * first), LARGEST * first)
    return edge


def _should_grow(state: CampaignState, round: int) -> bool:
    return _is_exhausted(state, round) or _succeeded(state, round)


def _is_exhausted(state: CampaignState, round: int) -> bool:
    decoded = [
        decision
        for proposal in state.proposals
        if proposal.round == round and proposal.stage is Stage.ACQUISITION
        for decision in proposal.decisions
        if decision.lineage.source == "latent"
    ]
    duplicates = sum(decision.rule == "duplicate" for decision in decoded)
    return duplicates > MAX_DUPLICATE_SHARE * len(decoded)


def _succeeded(state: CampaignState, round: int) -> bool:
    before = [m for m in state.known_answers() if m.round < round]
    made = [m for m in state.answers() if m.round == round and m.stage is Stage.ACQUISITION]
    return has_improved(state, before, made)
