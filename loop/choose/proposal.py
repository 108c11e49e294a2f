"""Proposals: from latent points to decoded candidates, screened and chosen, with a Decision for
each."""

import io
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from alloop.loop.choose.acquisition import (
    Surrogate,
    acquisition_function,
    choose_batch,
    climb,
    fit_surrogate,
    trust_region,
)
from alloop.loop.choose.candidate_pool import DRAWS_PER_CHOICE, available_rows, draws
from alloop.loop.choose.draft import Draft, take
from alloop.loop.choose.fidelity import FidelityMaps, maps_to_top_tier, propagate_posterior
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.random_candidates import random_materials
from alloop.loop.choose.screening import CandidateRejection, Seen, screen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Posterior, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import material_id
from alloop.models.base import GenerativeModel, HasEmbedding
from alloop.seeds import derive_seed

N_CENTRES = 16
"""Number of best measured candidates that a trust region is laid around."""
RANDOM_EVERY = 8
"""Inverse share of random candidates: one in so many is drawn at random, so that no region of the
space is forgotten."""
N_PERTURBED = 20
"""Number of coordinates moved at once, on average, to scatter a starting point: few, as in TuRBO
(Eriksson et al., NeurIPS 2019): moving all of a point in many dimensions leaves nothing of it."""
CLIMB_ITERATIONS = 30


def propose_random(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int, stage: Stage, size: int
) -> Proposed:
    """Propose materials drawn from the space, or rows of the table, uniformly."""
    seed = derive_seed(state.spec.seed, stage, round)
    size = min(size, state.remaining())
    drafts = draws(state, seen, seed, DRAWS_PER_CHOICE * size)
    decisions = take(state, seen.overlay(), drafts, size, reason="drawn at random")
    store.put_materials([draft.material for draft, _ in decisions])
    return Proposed(round=round, stage=stage, decisions=tuple(d for _, d in decisions))


def propose_by_acquisition(
    state: CampaignState,
    store: ArtifactStore,
    seen: Seen,
    model: GenerativeModel,
    *,
    round: int,
    edge: float,
) -> Proposed:
    """Climb the acquisition in latent space, decode, screen, re-encode, and choose a batch.

    Args:
        state: with at least two labels.
        store: receives every candidate and the latent points.
        seen: everything measured or pending.
        model: fitted in this round.
        round: whose seeds to use.
        edge: of the trust region, in the extent of the measured latents.
    """
    spec, seed = state.spec, derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    names = spec.property_names()
    answers = state.answers()
    measured = model.encode([store.get_material(m.candidate) for m in answers])
    values = torch.tensor([[m.properties[name] for name in names] for m in answers])
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        surrogate = fit_surrogate(embed(model, measured), values, names)
        lines = maps_to_top_tier(state)
        aimed = lines if spec.acquisition.aim == "top-tier" else ()
        acquisition = acquisition_function(surrogate, state.utility, seed=seed, lines=aimed)
        centres = measured[_best_rows(state)]
        starts, lower, upper = _starts(centres, measured, edge, _pool(state))
        latents = climb(
            acquisition,
            _embedder(model),
            starts,
            lower,
            upper,
            max_iterations=CLIMB_ITERATIONS,
        )
        drafts = _decoded(state, store, model, latents, round, seed)
        screened = _screened(state, seen, drafts)
        passed = [draft for draft, rejection in screened if rejection is None]
        decided = ranked(state, model, surrogate, acquisition, passed, lines)
    decisions = [
        decided[material_id(draft.material)]
        if rejection is None
        else draft.decide(rejection=rejection, reason="")
        for draft, rejection in screened
    ]
    store.put_materials([draft.material for draft, _ in screened])
    return Proposed(
        round=round,
        stage=Stage.ACQUISITION,
        decisions=tuple(decisions),
        notes={
            "trust_region_edge": edge,
            "measured": float(len(answers)),
            "decoded": float(len(drafts)),
            "passed_screening": float(len(passed)),
            "aim": "top-tier" if aimed else "first-tier",
        },
    )


def propose_table_rows(
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
    spec, seed = state.spec, derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    names, answers = spec.property_names(), state.answers()
    drafts = available_rows(state, seen)
    values = torch.tensor([[m.properties[name] for name in names] for m in answers])
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        measured = model.encode([store.get_material(m.candidate) for m in answers])
        surrogate = fit_surrogate(embed(model, measured), values, names)
        lines = maps_to_top_tier(state)
        aimed = lines if state.spec.acquisition.aim == "top-tier" else ()
        acquisition = acquisition_function(surrogate, state.utility, seed=seed, lines=aimed)
        decided = ranked(state, model, surrogate, acquisition, drafts, lines)
    by_score = sorted(drafts, key=lambda draft: -(decided[draft.id].acquisition or 0.0))
    chosen = [draft for draft in drafts if decided[draft.id].chosen]
    missed = [draft for draft in by_score if not decided[draft.id].chosen]
    recorded = [*chosen, *missed[: len(chosen)]]
    store.put_materials([draft.material for draft in recorded])
    return Proposed(
        round=round,
        stage=Stage.ACQUISITION,
        decisions=tuple(decided[draft.id] for draft in recorded),
        notes={"measured": float(len(answers)), "considered": float(len(drafts))},
    )


def ranked(
    state: CampaignState,
    model: GenerativeModel,
    surrogate: Surrogate,
    acquisition: Callable[..., Tensor],
    drafts: Sequence[Draft],
    lines: FidelityMaps,
) -> dict[str, Decision]:
    """Return the decision for each screened draft, by candidate id."""
    if not drafts:
        return {}
    size = min(state.spec.acquisition.batch, state.remaining())
    embeddings = embed(model, model.encode([draft.material for draft in drafts]))
    means, stds = surrogate.posterior(embeddings)
    choice = choose_batch(acquisition, embeddings, size)
    worst = choice.scores[choice.order[-1]]
    decisions = {}
    for row, draft in enumerate(drafts):
        score = choice.scores[row]
        rejection = None
        if row not in choice.order:
            text = f"its acquisition {score:.3g} is below {worst:.3g}, the last that was chosen"
            rejection = CandidateRejection("acquisition", score - worst, text)
        posterior = {
            name: Posterior(mean=float(means[row, i]), std=float(stds[row, i]))
            for i, name in enumerate(surrogate.property_names)
        }
        decision = draft.decide(
            rejection=rejection,
            reason=f"choice {choice.order.index(row) + 1} of {size} by acquisition"
            if rejection is None
            else "",
            acquisition=score,
            posterior=posterior,
            high_fidelity=propagate_posterior(lines, posterior),
        )
        decisions[decision.candidate] = decision
    return decisions


def _decoded(
    state: CampaignState,
    store: ArtifactStore,
    model: GenerativeModel,
    latents: Tensor,
    round: int,
    seed: int,
) -> list[Draft]:
    """Decode the latent points, and add a share of random materials."""
    n_random = _pool(state) // RANDOM_EVERY
    latents = latents.to(torch.float32)
    array = store.put(_npy(latents.numpy()))
    checkpoint = state.models[round].checkpoint
    decoded = [
        Draft(
            material,
            Lineage(source="latent", model=checkpoint, latents=array, row=row, seed=seed),
        )
        for row, material in enumerate(model.decode(latents, seed=seed))
    ]
    drawn = random_materials(state.spec.space, seed, n_random)
    return decoded + [Draft(material, Lineage(source="random", seed=seed)) for material in drawn]


def _pool(state: CampaignState) -> int:
    """Return the number of latent points decoded in a round."""
    pool = state.spec.acquisition.pool
    assert pool is not None  # the spec fills it in where it counts
    return pool


def _screened(
    state: CampaignState, seen: Seen, drafts: Sequence[Draft]
) -> list[tuple[Draft, CandidateRejection | None]]:
    """Screen drafts against the rules, everything seen, and each other."""
    known = seen.overlay()
    screened = []
    for draft in drafts:
        rejection = screen(draft.material, state.spec.space, known)
        if rejection is None:
            known.add(draft.id, draft.material)
        screened.append((draft, rejection))
    return screened


def _best_rows(state: CampaignState) -> list[int]:
    answers = state.answers()
    rank = state.utility.rank
    order = sorted(range(len(answers)), key=lambda i: rank(answers[i].properties), reverse=True)
    return order[:N_CENTRES]


def _starts(
    centres: Tensor, measured: Tensor, edge: float, pool: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return starting points scattered in the trust regions, and the regions' corners."""
    n_latent = pool - pool // RANDOM_EVERY
    repeated = centres[torch.arange(n_latent) % len(centres)]
    lower, upper = trust_region(repeated, measured, edge)
    anywhere = lower + (upper - lower) * torch.rand(repeated.shape)
    is_moved = torch.rand(repeated.shape) < N_PERTURBED / repeated.shape[-1]
    return torch.where(is_moved, anywhere, repeated), lower, upper


def _embedder(model: GenerativeModel) -> Callable[[Tensor], Tensor]:
    return model.embed if isinstance(model, HasEmbedding) else lambda z: z


def embed(model: GenerativeModel, z: Tensor) -> Tensor:
    """Return the surrogate's inputs at latent points, in float64."""
    with torch.no_grad():
        return _embedder(model)(z.double())


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
