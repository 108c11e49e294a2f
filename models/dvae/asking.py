"""Which unlabelled alloys to ask about next: where the head's members disagree, and apart."""

import numpy as np


def mutual_information(members: np.ndarray) -> np.ndarray:
    """Return how much a label would tell about the members, in nats, shape (n,).

    Entropy of the mean less mean of the entropies (BALD; N. Houlsby et al., arXiv:1112.5745).

    Args:
        members: each member's probability of a yes, shape (members, n).
    """
    return np.asarray(_entropy(members.mean(0)) - _entropy(members).mean(0))


def diverse_batch(scores: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """Return the rows of a batch: highest score times distance to the batch so far, greedily.

    Args:
        scores: of the rows, not negative, shape (n,).
        points: where the rows lie, shape (n, d).
        size: of the batch.
    """
    chosen = [int(scores.argmax())]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < min(size, len(scores)):
        merit = scores * distance
        merit[chosen] = -1.0
        chosen.append(int(merit.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)


def _entropy(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(-p * np.log(p) - (1 - p) * np.log(1 - p))
