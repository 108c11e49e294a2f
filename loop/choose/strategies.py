"""Dispatch of a round's acquisition to the campaign's strategy."""

from alloop.loop.choose.proposal import propose_by_acquisition, propose_table_rows
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.trust_region import trust_region_edge
from alloop.loop.choose.uncertainty import propose_by_uncertainty
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Proposed
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.base import GenerativeModel


def propose_with_model(
    state: CampaignState, store: ArtifactStore, seen: Seen, model: GenerativeModel, *, round: int
) -> Proposed:
    """Propose a round's batch with the model that was fitted in it."""
    acquisition = state.spec.acquisition
    if acquisition.strategy == "uncertainty":
        return propose_by_uncertainty(state, store, seen, model, round=round)
    if acquisition.candidates == "table":
        return propose_table_rows(state, store, seen, model, round=round)
    edge = trust_region_edge(state, round)
    return propose_by_acquisition(state, store, seen, model, round=round, edge=edge)
