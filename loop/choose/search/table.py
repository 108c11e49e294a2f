"""A round's choice among the rows of a table, by the same surrogates and acquisition."""

from collections.abc import Sequence

import numpy as np
import torch

from alloop.loop.choose.candidate_pool import available_rows
from alloop.loop.choose.draft import Draft
from alloop.loop.choose.known_values import known_materials
from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.search.descriptors import Fractions
from alloop.loop.choose.search.search import SHORTLIST, SearchTask
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material
from alloop.models.base import GenerativeModel
from alloop.seeds import derive_seed
from alloop.space import Compositions

N_CENTRES = 3
"""Number of the best measured materials that a trust region lies around."""
SLACK = 1e-9
"""Float slack of shares of atoms: 0.6 - 0.4 is more than 0.2."""
FEWEST_ROWS = 4
"""Fewest rows in a trust region, in batches: with fewer the nearest ones are taken."""


def propose_from_table(
    state: CampaignState,
    store: ArtifactStore,
    seen: Seen,
    model: GenerativeModel | None,
    *,
    round: int,
) -> Proposed:
    """Choose rows of the table by the acquisition; nothing is decoded.

    The chosen are recorded, and as many that just missed.

    Args:
        state: with at least two labels.
        store: receives every candidate that is recorded.
        seen: everything measured or pending.
        model: fitted in this round; None to search without one.
        round: whose seeds to use.
    """
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    known = known_materials(state, store)
    drafts = available_rows(state, seen)
    size = state.batch_size
    notes: dict[str, float | str] = {
        "measured": float(len(state.answers())),
        "available": float(len(drafts)),
    }
    drafts = _within_reach(state, drafts, list(known.materials.values())[:N_CENTRES])
    notes["considered"] = float(len(drafts))
    if not drafts:
        return Proposed(round=round, stage=Stage.ACQUISITION, decisions=(), notes=notes)
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        task = SearchTask.of(state, model, None, known)
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


def _within_reach(
    state: CampaignState, drafts: list[Draft], centres: Sequence[Material]
) -> list[Draft]:
    """Return the rows within the trust region around the best; all, where there is none."""
    space, acquisition = state.spec.space, state.spec.acquisition
    if acquisition.trust_region is None or not isinstance(space, Compositions) or not drafts:
        return drafts
    fractions = Fractions(space.elements, None)
    distances = shares_apart(
        fractions.of_materials([draft.material for draft in drafts]),
        fractions.of_materials(centres),
    ).min(axis=1)
    fewest = min(FEWEST_ROWS * acquisition.batch, len(drafts))
    reach = max(acquisition.trust_region, float(np.partition(distances, fewest - 1)[fewest - 1]))
    return [drafts[row] for row in np.flatnonzero(distances <= reach + SLACK)]


def shares_apart(fractions: FloatArray, others: FloatArray) -> FloatArray:
    """Return the share of atoms to replace to make one composition of another, shape (n, m).

    Args:
        fractions: shape (n, elements).
        others: shape (m, elements).
    """
    apart: FloatArray = 0.5 * np.abs(fractions[:, None] - others[None]).sum(axis=-1)
    return apart
