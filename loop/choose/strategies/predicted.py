"""Choice by the model's prediction alone: no surrogate, no uncertainty."""

from collections.abc import Mapping, Sequence

import torch

from alloop.loop.choose.candidate_pool import available_draws, available_rows
from alloop.loop.choose.draft import Draft
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.screening import CandidateRejection, Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Posterior, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.pareto import front_order
from alloop.models.base import CanAssess, GenerativeModel, Prediction
from alloop.seeds import derive_seed


def propose_by_prediction(
    state: CampaignState, store: ArtifactStore, seen: Seen, model: GenerativeModel, *, round: int
) -> Proposed:
    """Propose what the model predicts to be best among many random draws, or rows of the table.

    The chosen are recorded, and as many that just missed.
    """
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    acquisition = state.spec.acquisition
    if acquisition.candidates == "table":
        drafts = available_rows(state, seen)
    else:
        assert acquisition.pool is not None  # the spec fills it in where it counts
        drafts = available_draws(state, seen, seed, acquisition.pool)
    decided = decide_by_prediction(state, model, drafts, seed=seed)
    chosen = [pair for pair in decided if pair[1].chosen]
    recorded = decided[: 2 * len(chosen)]
    store.put_materials([draft.material for draft, _ in recorded])
    return Proposed(
        round=round,
        stage=Stage.ACQUISITION,
        decisions=tuple(decision for _, decision in recorded),
        notes={"measured": float(len(state.answers())), "considered": float(len(drafts))},
    )


def decide_by_prediction(
    state: CampaignState, model: GenerativeModel, drafts: Sequence[Draft], *, seed: int
) -> list[tuple[Draft, Decision]]:
    """Return the screened drafts with their decisions, the best predicted first.

    A batch of them is chosen: by the utility of the predicted means, or front by front where the
    Pareto front is sought; those that are predicted to break a constraint come last.
    """
    if not drafts:
        return []
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        prediction = predict(model, drafts)
    names, means = prediction.property_names, prediction.mean.double().tolist()
    predicted = [dict(zip(names, row, strict=True)) for row in means]
    stds = prediction.std.double().tolist()
    ranks = [state.utility.rank(properties) for properties in predicted]
    order = _order(state, predicted, ranks)
    size = state.batch_size
    decided = []
    for place, row in enumerate(order):
        score, rejection = state.utility.value(predicted[row]), None
        if place >= size:
            last = order[size - 1]
            rejection = _rejection(ranks[row], ranks[last], seeks_front=state.utility.seeks_front)
        posterior = {
            name: Posterior(mean=means[row][i], std=stds[row][i]) for i, name in enumerate(names)
        }
        decision = drafts[row].decide(
            state.spec.space,
            rejection=rejection,
            reason=f"choice {place + 1} of {size} by the predicted value" if not rejection else "",
            acquisition=score,
            posterior=posterior,
        )
        decided.append((drafts[row], decision))
    return decided


def predict(model: GenerativeModel, drafts: Sequence[Draft]) -> Prediction:
    """Return what the model expects of drafts: of the materials themselves, where it can."""
    materials = [draft.material for draft in drafts]
    if isinstance(model, CanAssess):
        return model.assess(materials).prediction
    return model.predict(model.encode(materials))


def _order(
    state: CampaignState,
    predicted: Sequence[Mapping[str, float]],
    ranks: Sequence[tuple[bool, float]],
) -> list[int]:
    """Return the rows of predicted properties, the best first."""
    if state.utility.seeks_front:
        return front_order(state.utility, predicted)
    return sorted(range(len(ranks)), key=lambda row: ranks[row], reverse=True)


def _rejection(
    rank: tuple[bool, float], last: tuple[bool, float], *, seeks_front: bool
) -> CandidateRejection:
    """Return why a candidate was not chosen; the margin is in the unit of what decided."""
    if rank[0] != last[0]:
        text = f"it is predicted to miss the constraints by {-rank[1]:.3g}"
        return CandidateRejection("prediction", rank[1], text)
    if rank[0] and seeks_front:
        text = "others are predicted to lie farther out, or on an emptier part of the Pareto front"
        return CandidateRejection("prediction", min(rank[1] - last[1], 0.0), text)
    what = "predicted value" if rank[0] else "predicted margin to the constraints"
    text = f"its {what} {rank[1]:.4g} is below {last[1]:.4g}, the last that was chosen"
    return CandidateRejection("prediction", rank[1] - last[1], text)
