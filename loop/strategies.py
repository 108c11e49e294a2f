"""A round's acquisition by whichever strategy the campaign names."""

from loop.artifacts import ArtifactStore
from loop.proposal import propose_by_acquisition, propose_rows
from loop.records import Proposed
from loop.screening import Seen
from loop.state import CampaignState
from loop.trust_region import trust_region_edge
from loop.uncertainty import propose_by_uncertainty
from models.base import GenerativeModel


def propose_with_model(
    state: CampaignState, store: ArtifactStore, seen: Seen, model: GenerativeModel, *, round: int
) -> Proposed:
    """Propose a round's batch with the model that was fitted in it."""
    acquisition = state.spec.acquisition
    if acquisition.strategy == "uncertainty":
        return propose_by_uncertainty(state, store, seen, model, round=round)
    if acquisition.candidates == "table":
        return propose_rows(state, store, seen, model, round=round)
    edge = trust_region_edge(state, round)
    return propose_by_acquisition(state, store, seen, model, round=round, edge=edge)
