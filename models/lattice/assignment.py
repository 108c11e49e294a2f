"""The most probable decoration under bounds on each species' count, exactly."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.parent import FloatArray, IntArray


def most_probable_decoration(log_probabilities: FloatArray, space: DecorationSpace) -> IntArray:
    """Return the species of each open site that maximise the sum of log-probabilities, within the
    bounds of every sublattice.

    Where these break a rule of charge or of numbers of elements, the counts become the nearest
    that keep it, and the sites the most probable with these.

    Args:
        log_probabilities: shape (sites, species), finite.
        space: of the sites.

    Returns:
        Species indices, shape (sites,).
    """
    bounds = [one.bounds for one in space.sublattices]
    found = _assigned(log_probabilities, space, bounds)
    if space.rules.is_trivial:
        return found
    allowed = space.rules.nearest_allowed(space.counts(found[None])[0])
    if allowed is None:  # the descent ends beside: any decoration that keeps the rules will do
        return space.draw(1, np.random.default_rng(0))[0][0]
    exact = [tuple((int(n), int(n)) for n in counts) for counts in space.split(allowed)]
    return _assigned(log_probabilities, space, exact)


def _assigned(
    log_probabilities: FloatArray,
    space: DecorationSpace,
    bounds: Sequence[Sequence[tuple[int, int]]],
) -> IntArray:
    parts = []
    for one, its_bounds in zip(space.sublattices, bounds, strict=True):
        own = log_probabilities[one.sites][:, list(one.species)]
        parts.append(np.array(one.species)[most_probable(own, its_bounds)])
    return np.concatenate(parts)


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
