"""The edge of the trust region, from the success of the rounds so far."""

from alloop.loop.record.events import Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.pareto import has_improved

GROWTH, SHRINKAGE = 1.5, 0.7
"""Factors after a round whose acquisition did, or did not, beat everything before it: a better best
or, where the Pareto front is sought, a larger hypervolume."""
SMALLEST, LARGEST = 0.5, 2.0
"""Bounds of the edge, in units of the first edge."""


def trust_region_edge(state: CampaignState, round: int) -> float:
    """Return the edge of the trust region for a round, in the extent of the measured latents."""
    first = state.spec.acquisition.trust_region
    assert first is not None  # the spec fills it in where it counts
    edge = first
    for earlier in range(1, round):
        edge *= GROWTH if _succeeded(state, earlier) else SHRINKAGE
        edge = min(max(edge, SMALLEST * first), LARGEST * first)
    return edge


def _succeeded(state: CampaignState, round: int) -> bool:
    before = [m for m in state.known_answers() if m.round < round]
    made = [m for m in state.answers() if m.round == round and m.stage is Stage.ACQUISITION]
    return has_improved(state, before, made)
