"""Batches that take people's own candidates from the queue before any of the campaign's."""

from collections.abc import Callable
from dataclasses import replace

from alloop.loop.choose.draft import Draft
from alloop.loop.choose.own.assessment import assess, decided, own_rejection
from alloop.loop.choose.screening import Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState

ProposeRest = Callable[[CampaignState, Seen], Proposed]
"""Proposes a batch of the size that a state says, in view of what was seen."""


def propose_with_queue(
    state: CampaignState,
    store: ArtifactStore,
    seen: Seen,
    propose: ProposeRest,
    *,
    round: int,
    stage: Stage,
    size: int,
) -> Proposed:
    """Propose what is queued, in its order, and let the campaign fill the rest of the batch.

    What is queued and cannot be measured any more (vetoed or measured meanwhile) is rejected and
    leaves the queue; what the batch has no place for stays in it.

    Args:
        state: of the campaign.
        store: of its materials; what is queued lies in it.
        seen: everything measured or pending.
        propose: makes the rest of the batch.
        round: of the batch.
        stage: of the batch.
        size: of the whole batch.
    """
    if not state.by_hand.queue:
        return propose(state, seen)
    own = _take(state, store, known := seen.overlay(), size)
    rest = size - sum(decision.chosen for decision in own)
    if rest < 1:
        return Proposed(round=round, stage=stage, decisions=tuple(own))
    proposed = propose(_with_size(state, rest), known)
    return proposed.model_copy(update={"decisions": (*own, *proposed.decisions)})


def _with_size(state: CampaignState, size: int) -> CampaignState:
    return replace(state, by_hand=replace(state.by_hand, asked_size=size))


def _take(state: CampaignState, store: ArtifactStore, known: Seen, size: int) -> list[Decision]:
    """Return decisions on the first of the queue, until so many are chosen; they are added to what
    is known."""
    taken, rejections, n_chosen = [], [], 0
    for id in state.by_hand.queue:
        if n_chosen == size:
            break
        draft = Draft(store.get_material(id), Lineage(source="added"))
        rejection = own_rejection(draft.material, state.spec.space, known)
        if rejection is None:
            known.add(id, draft.material)
            n_chosen += 1
        taken.append(draft)
        rejections.append(rejection)
    chosen = [draft for draft, why in zip(taken, rejections, strict=True) if why is None]
    found = assess(state, store, [draft.material for draft in chosen])
    expected = {draft.id: each for draft, each in zip(chosen, found, strict=True)}
    return [
        decided(
            draft,
            state.spec.space,
            rejection,
            expected.get(draft.id),
            reason=state.by_hand.added[draft.id].reason,
        )
        for draft, rejection in zip(taken, rejections, strict=True)
    ]
