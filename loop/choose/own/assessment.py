"""Assessment of candidates that the campaign did not find: screening, posterior and score."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from pymatgen.core import Composition

from alloop.loop.choose.draft import Draft
from alloop.loop.choose.known_values import known_materials
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.screening import CandidateRejection, Seen, has_allowed_elements, screen
from alloop.loop.choose.search.search import SearchTask
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Posterior
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material
from alloop.models.base import GenerativeModel
from alloop.models.lattice.decorations import DecorationSpace
from alloop.seeds import derive_seed
from alloop.space import AnySpace, Compositions, Decorations, Space

FEWEST_LABELS = 2
"""Number of labels without which there is no surrogate."""


@dataclass(frozen=True)
class Assessed:
    """What the surrogates expect of a material."""

    posterior: dict[str, Posterior]
    high_fidelity: dict[str, Posterior]
    """Posterior of the top tier, once pairs of the tiers allow it."""
    acquisition: float
    """Logarithm of the expected improvement, of the candidate alone."""


def own_rejection(material: Material, space: Space, seen: Seen) -> CandidateRejection | None:
    """Return why somebody's own material cannot be a candidate, or None: it must lie in the space,
    as whatever the campaign proposes does, and be new."""
    return (
        has_allowed_elements(material, space)
        or unlike_space(material, space)
        or screen(material, space, seen)
    )


def unlike_space(material: Material, space: Space) -> CandidateRejection | None:
    """Refuse what a model of the space could not represent: a composition in a space of crystals, a
    crystal that is no ordering of one of its parent lattices."""
    if isinstance(space, Compositions) != isinstance(material, Composition):
        wanted = "compositions" if isinstance(space, Compositions) else "crystal structures"
        return CandidateRejection("kind", -1.0, f"the space holds {wanted}")
    if isinstance(space, Decorations):
        refusal = DecorationSpace.of_space(space).refusal(material)
        if refusal is not None:
            return CandidateRejection("lattice", -1.0, refusal)
    return None


def assess(
    state: CampaignState, store: ArtifactStore, materials: Sequence[Material]
) -> list[Assessed | None]:
    """Return what the campaign's surrogates expect of materials in its space; None of each while
    there are too few labels for a surrogate.

    They are the surrogates that a search of the next round would use, whatever the strategy, with
    the newest model's embedding where it uses one.
    """
    if not materials or len(state.known_answers()) < FEWEST_LABELS:
        return [None] * len(materials)
    seed = derive_seed(state.spec.seed, "assessment")
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        task = SearchTask.of(state, _model(state, store), None, known_materials(state, store))
        found = task.assess(task.surrogates.of_materials(materials), seed)
    return [Assessed(*each) for each in found]


def _model(state: CampaignState, store: ArtifactStore) -> GenerativeModel | None:
    if not state.models or not state.spec.acquisition.uses_model:
        return None
    newest = state.models[max(state.models)]
    return store.read(newest.checkpoint, state.spec.model.load)


def decided(
    draft: Draft,
    space: AnySpace,
    rejection: CandidateRejection | None,
    assessed: Assessed | None,
    *,
    reason: str,
) -> Decision:
    """Return the decision on a draft with what is expected of it."""
    if assessed is None:
        return draft.decide(space, rejection=rejection, reason=reason)
    return draft.decide(
        space,
        rejection=rejection,
        reason=reason,
        acquisition=assessed.acquisition,
        posterior=assessed.posterior,
        high_fidelity=assessed.high_fidelity,
    )
