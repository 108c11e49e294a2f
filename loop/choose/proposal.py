"""Proposals at random: the first labels, and the baseline to compare with."""

import numpy as np

from alloop.loop.choose.candidate_pool import DRAWS_PER_CHOICE, draws
from alloop.loop.choose.draft import Draft, take
from alloop.loop.choose.own.queued import propose_with_queue
from alloop.loop.choose.screening import Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Proposed, Stage
from alloop.loop.state.brought import without_own_value
from alloop.loop.state.by_hand.decisions import initial_missing, initial_wanted
from alloop.loop.state.campaign_state import CampaignState
from alloop.seeds import derive_seed


def propose_initial(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, part: int
) -> Proposed:
    """Propose the first candidates, or the next part of them: what people have queued, then the
    rest.

    Args:
        state: without labels, or with those of the parts before.
        store: of its materials.
        seen: everything measured or pending.
        part: 0, 1, 2, …
    """
    # Where none is missing it is the first look, or one more under other terms.
    missing = initial_missing(state) or min(initial_wanted(state), state.remaining())

    def size_of(state: CampaignState) -> int:
        return min(state.by_hand.asked_size or missing, missing)

    def propose(state: CampaignState, seen: Seen) -> Proposed:
        return _brought_and_drawn(state, store, seen, part=part, size=size_of(state))

    return propose_with_queue(
        state, store, seen, propose, round=0, stage=Stage.INITIAL, size=size_of(state)
    ).model_copy(update={"iteration": part})


def _brought_and_drawn(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, part: int, size: int
) -> Proposed:
    """Propose materials that were brought without the first tier's value, at most half of all, then
    such as are drawn at random; more of the former where these are too few.

    What was brought is worth a look, and pairs of values tell how another fidelity's differ.
    """
    wanted = without_own_value(state)
    seed = derive_seed(state.spec.seed, Stage.INITIAL, 0, "brought")
    order = np.random.default_rng(seed).permutation(len(wanted))
    known = seen.overlay()
    left = [wanted[place] for place in order]
    decisions: list[Decision] = []

    def n_missing() -> int:
        return size - sum(decision.chosen for decision in decisions)

    def take_brought(n: int) -> None:
        drafts = (Draft(store.get_material(id), Lineage(source="brought")) for id in left)
        taken = take(state, known, drafts, n, reason="brought without this tier's value")
        del left[: len(taken)]
        decisions.extend(decision for _, decision in taken)

    take_brought(size // 2)
    decisions += _drawn(
        state, store, known, round=0, stage=Stage.INITIAL, size=n_missing(), part=part
    )
    take_brought(n_missing())
    return Proposed(round=0, stage=Stage.INITIAL, decisions=tuple(decisions))


def propose_random(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int, stage: Stage, size: int
) -> Proposed:
    """Propose materials drawn from the space, or rows of the table, uniformly."""
    decisions = _drawn(state, store, seen.overlay(), round=round, stage=stage, size=size)
    return Proposed(round=round, stage=stage, decisions=decisions)


def _drawn(
    state: CampaignState,
    store: ArtifactStore,
    known: Seen,
    *,
    round: int,
    stage: Stage,
    size: int,
    part: int = 0,
) -> tuple[Decision, ...]:
    """Return decisions on random draws; each part draws others."""
    seed = derive_seed(state.spec.seed, stage, round, *([part] if part else []))
    size = min(size, state.remaining())
    drafts = draws(state, known, seed, DRAWS_PER_CHOICE * size)
    decisions = take(state, known, drafts, size, reason="drawn at random")
    store.put_materials([draft.material for draft, _ in decisions])
    return tuple(decision for _, decision in decisions)
