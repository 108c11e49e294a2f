"""G-distance: how differently the atoms of two structures are surrounded.

Written from the definition in AlloGen (Naghdi et al., section 4.1 and appendix A.5): the
atom-centred functions of Behler and Parrinello (PRL 98, 146401) in the form with shifted centres
(Smith et al., Chem. Sci. 8, 3192), resolved by the elements of the neighbours; the distance is
the mean Euclidean distance between the atoms' vectors under the best matching of the atoms.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from vesin import NeighborList

from alloop.errors import MaterialError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RADIAL_CUTOFF = 4.6
ANGULAR_CUTOFF = 3.1
FIRST_CENTRE = 0.5
RADIAL_CENTRES = FIRST_CENTRE + (RADIAL_CUTOFF - FIRST_CENTRE) / 8 * np.arange(8)
ANGULAR_CENTRES = FIRST_CENTRE + 0.65 * np.arange(4)
"""Centres of the angular functions, Å, like the radial centres and the cutoffs above."""
RADIAL_WIDTH = 8.0
ANGULAR_WIDTH = 6.0
"""Exponents η of the angular Gaussians, 1/Å²; the radial width likewise."""
ANGLES = np.pi / 8 * (np.arange(8) + 0.5)
"""Centres of the angular functions in radians: the middles of eighths of the half circle, as in
PANNA (Lot et al. 2020), which AlloGen used. PANNA's smoothing of the derivative near 0 and π is
left out: it is no part of the definition and changes no distance by much."""
ZETA = 50.0
N_ANGULAR = len(ANGULAR_CENTRES) * len(ANGLES)


def g_distance(one: Structure, other: Structure) -> float:
    """Return the mean distance between matched atoms' vectors; 0 for equal surroundings.

    Raises:
        MaterialError: if the structures have different numbers of atoms.
    """
    elements = sorted({site.specie.symbol for structure in (one, other) for site in structure})
    return _matched(g_vectors(one, elements), g_vectors(other, elements))


def cp_g_distance(one: Structure, other: Structure) -> float:
    """Return the G-distance with every atom made one element: of the crystalline phase alone.

    Raises:
        MaterialError: if the structures have different numbers of atoms.
    """
    return _matched(
        _vectors(one, np.zeros(len(one), int), 1), _vectors(other, np.zeros(len(other), int), 1)
    )


def g_vectors(structure: Structure, elements: Sequence[str]) -> FloatArray:
    """Return every atom's vector.

    Args:
        structure: ordered.
        elements: E symbols, at least those of the structure.

    Returns:
        Shape (n, 8 E + 32 E (E + 1) / 2): radial functions by element of the neighbour, then
        angular ones (radius by angle) by pair of elements.
    """
    species = np.array([elements.index(site.specie.symbol) for site in structure])
    return _vectors(structure, species, len(elements))


def _vectors(structure: Structure, species: IntArray, n_elements: int) -> FloatArray:
    n = len(structure)
    target, source, vector, distance = _neighbours(structure)
    radial = np.zeros((n * n_elements, len(RADIAL_CENTRES)))
    gaussians = np.exp(-RADIAL_WIDTH * (distance[:, None] - RADIAL_CENTRES) ** 2)
    values = gaussians * _cutoff_function(distance, RADIAL_CUTOFF)[:, None]
    np.add.at(radial, target * n_elements + species[source], values)
    is_near = distance < ANGULAR_CUTOFF
    angular = _angular(
        n, target[is_near], species[source][is_near], vector[is_near], distance[is_near], n_elements
    )
    return np.concatenate([radial.reshape(n, -1), angular], axis=1)


def _angular(
    n: int,
    target: IntArray,
    species: IntArray,
    vector: FloatArray,
    distance: FloatArray,
    n_elements: int,
) -> FloatArray:
    """Return sums over unordered pairs of each atom's neighbours, shape (n, 32 E (E + 1) / 2)."""
    j, k = _pairs_of_equal(target)
    cosine = np.clip((vector[j] * vector[k]).sum(axis=1) / (distance[j] * distance[k]), -1, 1)
    sine = np.sqrt(1 - cosine**2)
    from_centre = cosine[:, None] * np.cos(ANGLES) + sine[:, None] * np.sin(ANGLES)
    by_angle = 2 * ((1 + from_centre) / 2) ** ZETA  # 2^(1−ζ) (1 + cos(θ − θs))^ζ, without overflow
    mean = (distance[j] + distance[k]) / 2
    by_radius = np.exp(-ANGULAR_WIDTH * (mean[:, None] - ANGULAR_CENTRES) ** 2)
    fade = _cutoff_function(distance[j], ANGULAR_CUTOFF) * _cutoff_function(
        distance[k], ANGULAR_CUTOFF
    )
    values = (fade[:, None, None] * by_radius[:, :, None] * by_angle[:, None, :]).reshape(
        -1, N_ANGULAR
    )
    low, high = np.minimum(species[j], species[k]), np.maximum(species[j], species[k])
    channel = low * n_elements - low * (low - 1) // 2 + high - low
    n_channels = n_elements * (n_elements + 1) // 2
    sums = np.zeros((n * n_channels, N_ANGULAR))
    np.add.at(sums, target[j] * n_channels + channel, values)
    return sums.reshape(n, -1)


def _neighbours(structure: Structure) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    search = NeighborList(cutoff=RADIAL_CUTOFF, full_list=True, sorted=True, n_threads=1)
    target, source, vector, distance = search.compute(
        points=structure.cart_coords, box=structure.lattice.matrix, periodic=True, quantities="ijDd"
    )
    return target.astype(np.int64), source.astype(np.int64), vector, distance


def _pairs_of_equal(sorted_values: IntArray) -> tuple[IntArray, IntArray]:
    """Return all pairs of rows i < j that hold equal values."""
    degree = np.bincount(sorted_values) if len(sorted_values) else np.zeros(0, int)
    ends = np.cumsum(degree)[sorted_values]
    later = ends - np.arange(len(sorted_values)) - 1
    first = np.repeat(np.arange(len(sorted_values)), later)
    start = np.cumsum(later) - later
    return first, first + 1 + np.arange(len(first)) - start[first]


def _cutoff_function(distance: FloatArray, cutoff: float) -> FloatArray:
    return 0.5 * (np.cos(np.pi * distance / cutoff) + 1)


def _matched(one: FloatArray, other: FloatArray) -> float:
    if len(one) != len(other):
        raise MaterialError(f"structures of {len(one)} and {len(other)} atoms cannot be matched")
    distances = cdist(one, other)
    return float(distances[linear_sum_assignment(distances)].mean())
