"""Special quasi-random structures (Zunger et al., Phys. Rev. Lett. 65 (1990) 353), by exchanges.

Pairs and triangles of neighbours join the elements as often as in the infinite random alloy, as
nearly as a cell of its size allows. There are programs for it (ATAT's mcsqs, icet) that are no
Python packages or take a compiler; the wheel of sqsgenerator knows no triangles.
"""

from collections.abc import Sequence

import numpy as np

from alloop.oracles.alloy_cells.clusters import Clusters, FloatArray, IntArray

STEPS_PER_SITE = 40
MAX_STEPS = 4000
"""Number of exchanges that are tried, at most; a cell of many atoms is nearly random by itself."""
FIRST_TEMPERATURE, LAST_TEMPERATURE = 0.1, 1e-3
"""Temperatures of the annealing, in units of the first cell's deviation."""
PERFECT = 1e-12
"""Deviation of a cell that needs no better one."""


def deviation(
    clusters: Sequence[Clusters], species: IntArray, targets: Sequence[FloatArray], n_species: int
) -> float:
    """Return the weighted sum of squared deviations of all shares from their targets."""
    total = 0.0
    for each, target in zip(clusters, targets, strict=True):
        gap = each.shares(species, n_species) - target
        total += each.weight * float(gap @ gap)
    return total


def quasirandom(
    clusters: Sequence[Clusters], species: IntArray, rng: np.random.Generator
) -> IntArray:
    """Return an ordering of the same species whose clusters deviate least of all that were tried.

    Args:
        clusters: that count.
        species: number of the species on each site, in any order; changed to a random one first.
        rng: of the exchanges.
    """
    now = rng.permutation(species)
    n_species = int(species.max()) + 1
    if n_species < 2:
        return now
    fractions = np.bincount(species, minlength=n_species) / len(species)
    targets = [each.random_shares(fractions) for each in clusters]
    value = first = deviation(clusters, now, targets, n_species)
    best, least = now.copy(), value
    n_steps = min(MAX_STEPS, STEPS_PER_SITE * len(species))
    temperatures = first * np.geomspace(FIRST_TEMPERATURE, LAST_TEMPERATURE, n_steps)
    for temperature in temperatures:
        if least < PERFECT:
            break
        i = int(rng.integers(len(now)))
        j = int(rng.choice(np.flatnonzero(now != now[i])))
        now[[i, j]] = now[[j, i]]
        tried = deviation(clusters, now, targets, n_species)
        if tried - value <= temperature * rng.exponential():
            value = tried
            if value < least:
                best, least = now.copy(), value
        else:
            now[[i, j]] = now[[j, i]]
    return best
