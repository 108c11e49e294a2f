"""How well heads and forests tell a single phase, on the same test rows."""

from collections.abc import Mapping

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, roc_auc_score

from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.options import DvaeOptions
from benchmarks.dvae.data import PHASE, Alloys, split_of

HEAD_EPOCHS = 60
"""After these the head does not change: enough where nothing but the head is asked."""
BINS = 10
BEST_HEAD = DvaeOptions(epochs=HEAD_EPOCHS, random_alloys=0, transport_layers=1)
PAPER_HEAD = BEST_HEAD.model_copy(update={"descriptors": "eight", "networks": 4, "committees": 6})
"""On the eight; its sizes were chosen before those of the best."""


def comparator_figures(alloys: Alloys, seed: int) -> dict[str, float]:
    """Return accuracy and AUC of the paper's head and of both forests."""
    figures: dict[str, float] = {}
    for few in (False, True):
        count = 247 if few else 864
        split = split_of(len(alloys.labels), seed, few=few)
        truth = alloys.labels[split.test]
        for name, features in (("forest8", alloys.published), ("forest_magpie", alloys.magpie)):
            forest = RandomForestClassifier(500, random_state=0)
            forest.fit(features[split.labelled], alloys.labels[split.labelled])
            said = forest.predict_proba(features[split.test])[:, 1]
            figures |= scores(f"{count}_{name}", truth, said)
        figures |= _alone(f"{count}_paper_head", PAPER_HEAD, alloys, seed, few=few)
    return figures


def best_head_with_few_labels(alloys: Alloys, seed: int) -> dict[str, float]:
    """Return its accuracy and AUC; with all labels it is that of the model itself."""
    return _alone("247_best_head", BEST_HEAD, alloys, seed, few=True)


def _alone(
    name: str, options: DvaeOptions, alloys: Alloys, seed: int, *, few: bool
) -> dict[str, float]:
    split = split_of(len(alloys.labels), seed, few=few)
    model = DvaeModel(options, alloys.elements, (PHASE,))
    model.fit(alloys.dataset(split), seed=seed)
    return scores(name, alloys.labels[split.test], probabilities(model, alloys, split.test))


def probabilities(model: DvaeModel, alloys: Alloys, rows: np.ndarray) -> np.ndarray:
    """Return the head's probability of a single phase, shape (rows,)."""
    assessment = model.assess([alloys.materials[i] for i in rows])
    return assessment.prediction.mean[:, 0].numpy()


def scores(name: str, truth: np.ndarray, said: np.ndarray) -> dict[str, float]:
    """Return accuracy and area under the ROC curve, named."""
    return {
        f"acc_{name}": float(accuracy_score(truth, said >= 0.5)),
        f"auc_{name}": float(roc_auc_score(truth, said)),
    }


@torch.no_grad()
def ingredients(model: DvaeModel, alloys: Alloys, rows: np.ndarray) -> Mapping[str, float]:
    """Return accuracy and AUC of the parts of a head on their own."""
    generator = model.generator
    head, options = generator.heads[0], model.options
    fractions = torch.from_numpy(alloys.fractions[rows]).float()
    members = torch.sigmoid(head(generator.standardised(fractions))[..., 0]).numpy()
    sizes = (options.networks, options.committees, options.boosters)
    networks, bagged, boosted = np.split(members, np.cumsum(sizes)[:-1])
    parts = {
        "networks_alone": networks,
        "bagged_alone": bagged,
        "randomised_alone": bagged[::2],
        "forests_alone": bagged[1::2],
        "boosted_alone": boosted,
        "trees_alone": members[len(networks) :],
    }
    found: dict[str, float] = {}
    for name, part in parts.items():
        found |= scores(f"864_{name}", alloys.labels[rows], part.mean(0))
    return found


def expected_calibration_error(truth: np.ndarray, said: np.ndarray) -> float:
    """Return the mean gap between confidence and accuracy, in ten bins of confidence.

    C. Guo et al., "On calibration of modern neural networks", ICML 2017, Eq. 3.
    """
    confidence = np.maximum(said, 1 - said)
    right = (said >= 0.5) == (truth == 1)
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(right[place == b].mean() - confidence[place == b].mean()) * (place == b).mean()
            for b in np.unique(place)
        )
    )
