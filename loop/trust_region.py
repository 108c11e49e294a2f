"""The edge of the trust region, read off what the rounds so far have brought."""

from loop.records import Stage
from loop.state import CampaignState

GROWTH, SHRINKAGE = 1.5, 0.7
"""Factors after a round whose acquisition did, or did not, beat everything before it."""
SMALLEST, LARGEST = 0.5, 2.0
"""Bounds of the edge, in units of the first edge."""


def trust_region_edge(state: CampaignState, round: int) -> float:
    """Return the edge for a round, in the extent of the measured latents."""
    first = state.spec.acquisition.trust_region
    edge = first
    for earlier in range(1, round):
        edge *= GROWTH if _succeeded(state, earlier) else SHRINKAGE
        edge = min(max(edge, SMALLEST * first), LARGEST * first)
    return edge


def _succeeded(state: CampaignState, round: int) -> bool:
    rank = state.merit.rank
    before = [rank(m.properties) for m in state.answers() if m.round < round]
    made = [
        rank(m.properties)
        for m in state.answers()
        if m.round == round and m.stage is Stage.ACQUISITION
    ]
    return bool(made) and max(made) > max(before)
