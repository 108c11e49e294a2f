"""How well heads and forests tell a single phase, on the same test rows."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, roc_auc_score

from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.options import DvaeOptions
from benchmarks.dvae.data import PHASE, Alloys, split_of

BINS = 10
HEAD_ALONE = DvaeOptions(epochs=1, transport_layers=1, consistency=0)
"""The head is fitted first: for it, training encoder and decoder does not matter."""
HEAD_ON_EIGHT = HEAD_ALONE.model_copy(update={"descriptors": "eight"})
"""Our head on the paper's eight descriptors. Its figures are named ``paper_head``."""


def head_figures(alloys: Alloys, seed: int) -> dict[str, float]:
    """Return accuracy and AUC of our head on the eight descriptors, and of both forests.

    With few labels also of our head on all descriptors; with all labels, that is the model's.
    """
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
        figures |= _alone(f"{count}_paper_head", HEAD_ON_EIGHT, alloys, seed, few=few)
    return figures | _alone("247_best_head", HEAD_ALONE, alloys, seed, few=True)


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
