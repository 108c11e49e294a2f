"""A round's choice among the rows of a table, by the same surrogates and acquisition."""

import numpy as np
import torch

from alloop.loop.choose.candidate_pool import available_rows
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.search.search import SHORTLIST, SearchTask
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.pareto import best_first
from alloop.models.base import GenerativeModel
from alloop.seeds import derive_seed


def propose_from_table(
    state: CampaignState, store: ArtifactStore, seen: Seen, model: GenerativeModel, *, round: int
) -> Proposed:
    """Choose rows of the table by the acquisition; nothing is decoded.

    The chosen are recorded, and as many that just missed.

    Args:
        state: with at least two labels.
        store: receives every candidate that is recorded.
        seen: everything measured or pending.
        model: fitted in this round.
        round: whose seeds to use.
    """
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    answers = best_first(state, state.answers())
    materials = {m.candidate: store.get_material(m.candidate) for m in answers}
    drafts = available_rows(state, seen)
    size = min(state.spec.acquisition.batch, state.remaining())
    notes: dict[str, float | str] = {
        "measured": float(len(answers)),
        "considered": float(len(drafts)),
    }
    if not drafts:
        return Proposed(round=round, stage=Stage.ACQUISITION, decisions=(), notes=notes)
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        task = SearchTask.of(state, model, None, materials)
        features = task.surrogates.of_materials([draft.material for draft in drafts])
        best = np.argsort(-task.score_features(features), kind="stable")[: max(SHORTLIST, size)]
        listed = [drafts[row] for row in best]
        decided = task.decide_on_features(listed, features[best], size, seed)
    recorded = sorted(decided, key=lambda pair: (not pair[1].chosen, -(pair[1].acquisition or 0.0)))
    recorded = recorded[: 2 * size]
    store.put_materials([draft.material for draft, _ in recorded])
    return Proposed(
        round=round,
        stage=Stage.ACQUISITION,
        decisions=tuple(decision for _, decision in recorded),
        notes=notes | task.notes(),
    )
