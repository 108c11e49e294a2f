"""The retrospective campaign: how many labels it takes to be as good as with all 864."""

import numpy as np

from alloop.loop.choose.uncertainty import choose_uncertain, uncertainty_scores
from alloop.models.dvae.model import DvaeModel
from alloop.seeds import derive_seed
from benchmarks.dvae.data import PHASE, Alloys, split_of
from benchmarks.dvae.heads import HEAD_ALONE, probabilities

FIRST = 96
BATCH = 96
# Nothing but the head is asked here, some 100 times: a smaller one, the same for every point.
HEAD = HEAD_ALONE.model_copy(update={"committees": 4, "trees": 25})


def labels_needed(alloys: Alloys, seed: int) -> dict[str, float]:
    """Return the numbers of labels that reach the accuracy of all 864, asked for and in random
    order.

    Accuracy is that on the 509 alloys whose labels are never trained on: fewer would let
    chance decide. Both orders begin with the same 96 random labels.
    """
    split = split_of(len(alloys.labels), seed)
    truth = alloys.labels[split.held_out]

    def accuracy(labelled: np.ndarray) -> tuple[DvaeModel, float]:
        model = DvaeModel(HEAD, alloys.elements, (PHASE,))
        model.fit(alloys.dataset(split, labelled), seed=seed)
        said = probabilities(model, alloys, split.held_out)
        return model, float(((said >= 0.5) == (truth == 1)).mean())

    _, full = accuracy(split.labelled)
    order = np.random.default_rng(derive_seed("order", seed)).permutation(split.labelled)
    found = {"full_accuracy_small_head": full}
    for name in ("", "_random"):
        known = order[:FIRST]
        curve = {}
        while True:
            model, curve[len(known)] = accuracy(known)
            rest = order[~np.isin(order, known)]
            if curve[len(known)] >= full or not len(rest):
                break
            batch = rest[:BATCH] if name else rest[_asked_for(model, alloys, rest)]
            known = np.concatenate([known, batch])
        found[f"labels_to_full_accuracy{name}"] = float(len(known))
    return found


def _asked_for(model: DvaeModel, alloys: Alloys, rows: np.ndarray) -> list[int]:
    """Return the places of a batch, chosen as a campaign's ``strategy: uncertainty`` does."""
    materials = [alloys.materials[i] for i in rows]
    unsure = uncertainty_scores(model.assess(materials).prediction, [1.0])
    return list(choose_uncertain(unsure, model.encode(materials).numpy(), BATCH).chosen)
