"""What the first tier's surrogates say of the tier whose values are to be improved."""

from dataclasses import replace

import numpy as np

from alloop.loop.choose.fidelity import FidelityMaps, composed
from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.choose.search.score import Marginals


def aimed(marginals: Marginals, lines: FidelityMaps, fractions: FloatArray) -> Marginals:
    """Return the marginals of the values that are to be improved.

    Args:
        marginals: of the first tier's values, n.
        lines: to the tier that is aimed at; none for the first.
        fractions: atomic fractions of the elements, shape (n, elements).
    """
    if not lines:
        return marginals
    found = [composed(lines, name, fractions) for name in marginals.property_names]
    offsets = np.stack([each for each, _ in found], axis=1)
    slopes = np.array([slope for _, slope in found])
    return replace(
        marginals, mean=offsets + slopes * marginals.mean, std=np.abs(slopes) * marginals.std
    )
