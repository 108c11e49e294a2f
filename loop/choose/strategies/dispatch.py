"""Dispatch of what is proposed: of a stage, and of a round's acquisition to the campaign's
strategy."""

from collections.abc import Mapping
from typing import Protocol

from alloop.loop.choose.augmentation import propose_neighbours
from alloop.loop.choose.own.queued import propose_with_queue
from alloop.loop.choose.promotion import propose_promotion
from alloop.loop.choose.proposal import propose_initial, propose_random
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.search.search import propose_by_search
from alloop.loop.choose.search.table import propose_from_table
from alloop.loop.choose.strategies.genetic import propose_genetic
from alloop.loop.choose.strategies.greedy import propose_greedy
from alloop.loop.choose.strategies.latent_gradient import propose_by_latent_gradient
from alloop.loop.choose.strategies.predicted import propose_by_prediction
from alloop.loop.choose.strategies.walkers import propose_annealing, propose_local_search
from alloop.loop.choose.uncertainty import propose_by_uncertainty
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.base import GenerativeModel


class ModelFree(Protocol):
    """A strategy that proposes from the labels alone."""

    def __call__(
        self, state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int
    ) -> Proposed:
        """Return a round's batch."""


class ModelBased(Protocol):
    """A strategy that proposes with the model fitted in the round."""

    def __call__(
        self,
        state: CampaignState,
        store: ArtifactStore,
        seen: Seen,
        model: GenerativeModel,
        *,
        round: int,
    ) -> Proposed:
        """Return a round's batch."""


def propose_stage(
    state: CampaignState,
    store: ArtifactStore,
    seen: Seen,
    *,
    stage: Stage,
    round: int,
    iteration: int,
    tier: int,
) -> Proposed:
    """Propose what a stage of a campaign is to measure; a function of the state, as
    ``propose_batch`` is.

    Args:
        state: of the campaign.
        store: of its materials.
        seen: everything measured or pending.
        stage: that proposes.
        round: that it belongs to.
        iteration: of the local search or the promotion, or part of the first candidates.
        tier: that is to measure.

    Raises:
        AlloopError: as ``propose_batch``.
    """
    match stage:
        case Stage.INITIAL:
            return propose_initial(state, store, seen, part=iteration)
        case Stage.ACQUISITION:
            return propose_batch(state, store, seen, round=round)
        case Stage.AUGMENTATION:
            return propose_neighbours(state, store, seen, round=round, iteration=iteration)
        case Stage.PROMOTION:
            return propose_promotion(state, store, round=round, tier=tier, iteration=iteration)
        case Stage.UNREQUESTED | Stage.BROUGHT:
            raise AssertionError("only people bring what was not asked for")


def propose_batch(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int
) -> Proposed:
    """Propose a round's batch: what people have queued, and the rest by the campaign's strategy. It
    is a function of the state, the seed in it, and the model that was fitted in the round, if the
    strategy uses one.

    Raises:
        AlloopError: if the model or the table is not what the campaign began with, or the space
            leaves nothing to propose.
    """
    acquisition = state.spec.acquisition

    def propose(state: CampaignState, seen: Seen) -> Proposed:
        if not acquisition.uses_model:
            return MODEL_FREE[acquisition.strategy](state, store, seen, round=round)
        model = store.read(state.models[round].checkpoint, state.spec.model.load)
        return MODEL_BASED[acquisition.strategy](state, store, seen, model, round=round)

    return propose_with_queue(
        state, store, seen, propose, round=round, stage=Stage.ACQUISITION, size=state.batch_size
    )


def _random(state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int) -> Proposed:
    size = state.batch_size
    return propose_random(state, store, seen, round=round, stage=Stage.ACQUISITION, size=size)


def _surrogate_bo(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int
) -> Proposed:
    return _searched(state, store, seen, None, round=round)


def _latent_bo(
    state: CampaignState, store: ArtifactStore, seen: Seen, model: GenerativeModel, *, round: int
) -> Proposed:
    return _searched(state, store, seen, model, round=round)


def _searched(
    state: CampaignState,
    store: ArtifactStore,
    seen: Seen,
    model: GenerativeModel | None,
    *,
    round: int,
) -> Proposed:
    propose = (
        propose_from_table if state.spec.acquisition.candidates == "table" else propose_by_search
    )
    return propose(state, store, seen, model, round=round)


MODEL_FREE: Mapping[str, ModelFree] = {
    "random": _random,
    "surrogate-bo": _surrogate_bo,
    "local-search": propose_local_search,
    "annealing": propose_annealing,
    "genetic": propose_genetic,
    "greedy": propose_greedy,
}
"""Strategies that need no model, by name."""

MODEL_BASED: Mapping[str, ModelBased] = {
    "latent-bo": _latent_bo,
    "uncertainty": propose_by_uncertainty,
    "screening": propose_by_prediction,
    "latent-gradient": propose_by_latent_gradient,
}
"""Strategies that use the round's model, by name."""
