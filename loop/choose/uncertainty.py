"""Choice by uncertainty: to learn a property everywhere, not to find its best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from alloop.files.csv_table import BINARY_PROPERTIES
from alloop.loop.choose.candidate_pool import available_draws, available_rows
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.screening import CandidateRejection, Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Posterior, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.base import CanAssess, GenerativeModel, Prediction
from alloop.seeds import derive_seed

SHORTLIST_FACTOR = 4
"""Size of the short list of the most uncertain candidates, in batches; the batch is the most
diverse of them, as in Zhdanov, Diverse mini-batch active learning (2019)."""


def propose_by_uncertainty(
    state: CampaignState,
    store: ArtifactStore,
    seen: Seen,
    model: GenerativeModel,
    *,
    round: int,
) -> Proposed:
    """Propose a batch of candidates that the model is unsure of, far from each other in its latent
    space.

    Args:
        state: with labels.
        store: receives every candidate that is recorded.
        seen: everything measured or pending.
        model: fitted in this round.
        round: whose seeds to use.
    """
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    acquisition = state.spec.acquisition
    is_table = acquisition.candidates == "table"
    if is_table:
        drafts = available_rows(state, seen)
    else:
        assert acquisition.pool is not None  # the spec fills it in where it counts
        drafts = available_draws(state, seen, seed, acquisition.pool)
    notes: dict[str, float | str] = {
        "considered": float(len(drafts)),
        "measured": float(len(state.answers())),
    }
    if not drafts:
        return Proposed(round=round, stage=Stage.ACQUISITION, decisions=(), notes=notes)
    materials = [draft.material for draft in drafts]
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        latents = model.encode(materials)
        prediction = (
            model.assess(materials).prediction
            if isinstance(model, CanAssess)
            else model.predict(latents)
        )
    size = state.batch_size
    spreads = _label_spreads(state, prediction.property_names)
    choice = choose_uncertain(uncertainty_scores(prediction, spreads), latents.numpy(), size)
    decisions = tuple(
        drafts[row].decide(
            state.spec.space,
            rejection=choice.rejection(row),
            reason=f"choice {place + 1} of {size} among the most uncertain",
            acquisition=float(choice.scores[row]),
            posterior={
                name: Posterior(
                    mean=float(prediction.mean[row, i]), std=float(prediction.std[row, i])
                )
                for i, name in enumerate(prediction.property_names)
            },
        )
        for place, row in enumerate(choice.recorded)
    )
    store.put_materials([drafts[row].material for row in choice.recorded])
    return Proposed(round=round, stage=Stage.ACQUISITION, decisions=decisions, notes=notes)


def uncertainty_scores(prediction: Prediction, spreads: Sequence[float]) -> np.ndarray:
    """Return the uncertainty of each candidate, shape (n,), summed over the properties.

    Of a yes or no this is the entropy of the answer in bits; of any other property its standard
    deviation over that of the labels.
    """
    total = np.zeros(len(prediction.mean))
    for i, name in enumerate(prediction.property_names):
        if name in BINARY_PROPERTIES:
            yes = prediction.mean[:, i].double().numpy().clip(1e-9, 1 - 1e-9)
            total += -(yes * np.log2(yes) + (1 - yes) * np.log2(1 - yes))
        else:
            total += prediction.std[:, i].double().numpy() / spreads[i]
    return total


@dataclass(frozen=True)
class UncertaintyChoice:
    """Batch chosen among candidates by uncertainty and distance."""

    chosen: tuple[int, ...]
    """Rows of the chosen candidates, first choice first."""
    runners_up: tuple[int, ...]
    """Rows of as many of the others, the most uncertain first."""
    scores: np.ndarray
    """Uncertainty of each row, shape (n,)."""
    distances: np.ndarray
    """Distance of each row to the nearest that was chosen, shape (n,), in the latents' own
    spread."""
    threshold: float
    """Uncertainty of the last row on the short list."""
    last_distance: float
    """Distance of the last choice to the ones before; infinite for a single one."""

    @property
    def recorded(self) -> tuple[int, ...]:
        """Rows that are recorded in the ledger."""
        return self.chosen + self.runners_up

    def rejection(self, row: int) -> CandidateRejection | None:
        """Return the rejection of a row that was not chosen; None for the chosen."""
        if row in self.chosen:
            return None
        score, distance = float(self.scores[row]), float(self.distances[row])
        if score < self.threshold:
            text = (
                f"its uncertainty {score:.3g} is below {self.threshold:.3g}, the short list's last"
            )
            return CandidateRejection("unsureness", score - self.threshold, text)
        margin = min(distance - self.last_distance, 0.0)
        text = (
            f"{distance:.3g} from one that was chosen; the last choice was {self.last_distance:.3g}"
        )
        return CandidateRejection("variety", margin, text)


def choose_uncertain(scores: np.ndarray, latents: np.ndarray, size: int) -> UncertaintyChoice:
    """Choose the most uncertain and then, of a short list, always the farthest from the chosen.

    Args:
        scores: shape (n,).
        latents: shape (n, d).
        size: how many to choose at most.
    """
    spread = latents.std(axis=0)
    scaled = latents / np.where(spread > 0, spread, 1.0)
    order = np.argsort(-scores, kind="stable")
    listed = order[: SHORTLIST_FACTOR * size]
    chosen = [int(order[0])]
    distances = np.linalg.norm(scaled - scaled[chosen[0]], axis=1)
    last = np.inf
    while len(chosen) < min(size, len(listed)):
        rest = [int(row) for row in listed if row not in chosen]
        farthest = max(rest, key=lambda row: distances[row])
        last = distances[farthest]
        chosen.append(farthest)
        distances = np.minimum(distances, np.linalg.norm(scaled - scaled[farthest], axis=1))
    others = [int(row) for row in order if row not in chosen]
    return UncertaintyChoice(
        tuple(chosen),
        tuple(others[:size]),
        scores,
        distances,
        threshold=float(scores[listed[-1]]),
        last_distance=float(last),
    )


def _label_spreads(state: CampaignState, names: Sequence[str]) -> list[float]:
    """Return the standard deviation of each property's labels; 1 where they are all the same."""
    answers = state.known_answers()
    return [float(np.std([m.properties[name] for m in answers])) or 1.0 for name in names]
