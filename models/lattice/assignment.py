"""The most probable decoration under bounds on each element's count, exactly."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from alloop.models.lattice.parent import FloatArray, IntArray


def most_probable(
    log_probabilities: FloatArray, count_bounds: Sequence[tuple[int, int]]
) -> IntArray:
    """Return the element of each site that maximises the sum of log-probabilities.

    It is an assignment problem: each element offers as many places as its upper bound allows,
    and its first places, up to the lower bound, pay a bonus so large that they are all taken.

    Args:
        log_probabilities: shape (n_sites, n_elements), finite.
        count_bounds: fewest and most sites of each element; they can be met.

    Returns:
        Element indices, shape (n_sites,).
    """
    n_sites, n_elements = log_probabilities.shape
    free = log_probabilities.argmax(axis=1)
    counts = np.bincount(free, minlength=n_elements)
    if all(low <= n <= high for n, (low, high) in zip(counts, count_bounds, strict=True)):
        return free
    bonus = 1.0 + n_sites * float(np.ptp(log_probabilities))
    places = [min(high, n_sites) for _, high in count_bounds]
    element_of_place = np.repeat(np.arange(n_elements), places)
    is_required = np.concatenate(
        [np.arange(n) < low for n, (low, _) in zip(places, count_bounds, strict=True)]
    )
    gain = log_probabilities[:, element_of_place] + bonus * is_required
    _, place_of_site = linear_sum_assignment(gain, maximize=True)
    return element_of_place[place_of_site]
