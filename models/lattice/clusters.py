"""Cluster correlations of decorations: pairs and triangles of sites, and the composition.

They are the descriptors of a cluster expansion (Sanchez, Ducastelle and Gratias, Physica A 128,
334 (1984)) in occupations centred on the composition, so that a pair's correlation is the
short-range order alone, −c_a c_b times the Warren–Cowley parameter, and a triangle's what its
three pairs do not say. No symmetry of the lattice changes them.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from alloop.models.lattice.parent import FloatArray, IntArray, ParentLattice

N_SHELLS = 7
"""Number of shells of pairs; in 54 atoms the seventh is the last one that is not an image of
another."""
BOND_REACH = 1.2
"""Longest bond over the nearest neighbours' distance: twelve neighbours in fcc, eight and six in
bcc. Two edges of a triangle are bonds; the third has any length."""
LENGTH_TOLERANCE = 2e-3
"""Tolerance of equal lengths, in units of the cube root of the atomic volume."""
ROWS_AT_ONCE = 256

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Triangles:
    """Triangles of one shape: an apex with two bonds, and the edge opposite to it."""

    apex: csr_array
    """Sum over an apex's edges, shape (sites, edges), over the number of triangles per site."""
    first: IntArray
    second: IntArray
    """The ends of each edge."""
    is_isosceles: bool
    """Whether the two bonds are alike, so that the ends may change places."""


class ClusterDescriptors:
    """Descriptors of decorations of one or more parents of one size.

    Args:
        parents: of the same number of sites.
        n_elements: that the sites can hold.
        n_shells: shells of pairs.
        triangles: whether triangles of two bonds are described too.
        shared: whether the lattices share their columns, shell by shell; else each has its own,
            which are 0 on the others.
    """

    def __init__(
        self,
        parents: Sequence[ParentLattice],
        n_elements: int,
        *,
        n_shells: int = N_SHELLS,
        triangles: bool = True,
        shared: bool = False,
    ) -> None:
        if shared and triangles:
            raise ValueError("triangles of different lattices are not alike: describe pairs alone")
        self.parents = tuple(parents)
        self._shared = shared
        self.n_elements = n_elements
        self._clusters = [_clusters(parent, n_elements, n_shells, triangles) for parent in parents]

    @cached_property
    def group_sizes(self) -> tuple[int, int, int]:
        """Numbers of descriptors of composition and lattice, of pairs, and of triangles."""
        row = np.zeros((1, self.parents[0].n_sites), dtype=np.int64)
        parts = self._groups(row, np.zeros(1, dtype=np.int64))
        first, second, third = (part.shape[1] for part in parts)
        return first, second, third

    @property
    def n_features(self) -> int:
        """Number of descriptors."""
        return sum(self.group_sizes)

    def __call__(self, codes: IntArray, lattices: IntArray) -> FloatArray:
        """Return the descriptors of decorations, shape (n, features).

        First the fractions of all elements but the last, their products, and for each lattice but
        the last 1 on it and 0 off it; then the pairs of every lattice, and last the triangles.

        Args:
            codes: element of each site, shape (n, sites).
            lattices: index of the parent, shape (n,).
        """
        parts = [
            np.concatenate(
                self._groups(codes[i : i + ROWS_AT_ONCE], lattices[i : i + ROWS_AT_ONCE]), axis=1
            )
            for i in range(0, max(len(codes), 1), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts).astype(np.float64)

    def _groups(
        self, codes: IntArray, lattices: IntArray
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        free = np.arange(self.n_elements - 1)
        occupied = (codes[:, :, None] == free).astype(np.float32)
        fractions = occupied.mean(axis=1)
        first, second = np.triu_indices(len(free))
        composition = [fractions, fractions[:, first] * fractions[:, second]]
        centred = occupied - fractions[:, None]
        pairs: list[Float32Array] = []
        triangles: list[Float32Array] = []
        for index, clusters in enumerate(self._clusters):
            rows = np.flatnonzero(lattices == index)
            if index < len(self._clusters) - 1:
                composition.append((lattices == index).astype(np.float32)[:, None])
            for kept, found in zip(
                (pairs, triangles), clusters.correlations(centred[rows]), strict=True
            ):
                block = np.zeros((len(codes), found.shape[1]), dtype=np.float32)
                block[rows] = found  # on another lattice its own clusters say what these cannot
                kept.append(block)
        if self._shared:
            pairs = [np.sum(pairs, axis=0)]
        return (
            np.concatenate(composition, axis=1),
            np.concatenate(pairs, axis=1),
            np.concatenate(triangles, axis=1),
        )


class _Clusters:
    def __init__(
        self, pairs: Sequence[csr_array], triangles: Sequence[_Triangles], n_elements: int
    ) -> None:
        self._pairs, self._triangles = pairs, triangles
        # The last element's occupation is what the free ones leave.
        of_element = np.vstack([np.eye(n_elements - 1), -np.ones(n_elements - 1)])
        pair = _symmetric(np.kron(of_element, of_element), n_elements)
        self._pairs_of_all = pair.T.astype(np.float32)
        self._isosceles_of_all = np.kron(of_element, pair).T.astype(np.float32)
        scalene = np.kron(of_element, np.kron(of_element, of_element))
        self._scalene_of_all = scalene.T.astype(np.float32)

    def correlations(self, centred: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Return pairs and triangles of all elements, shape (n, correlations) each.

        Only those of the free elements are computed, the others follow. A linear model of them
        all treats the elements alike; of the free ones alone it would not.

        Args:
            centred: occupations of the free elements less their means, shape (n, sites, free).
        """
        n, n_sites, m = centred.shape
        occupied = np.ascontiguousarray(centred.transpose(2, 1, 0))  # (free, sites, n)
        means = occupied / n_sites
        first, second = np.triu_indices(m)
        of_pairs, of_triangles = [], []
        for neighbours in self._pairs:
            around = [neighbours @ of_one for of_one in occupied]
            pairs = _sums([(means[a], around[b]) for a, b in zip(first, second, strict=True)])
            of_pairs.append(pairs @ self._pairs_of_all)
        for shape in self._triangles:
            one, other = occupied[:, shape.first], occupied[:, shape.second]  # (free, edges, n)
            if shape.is_isosceles:
                edges = [
                    one[a] * other[a] if a == b else 0.5 * (one[a] * other[b] + one[b] * other[a])
                    for a, b in zip(first, second, strict=True)
                ]
            else:
                edges = [one[a] * other[b] for a in range(m) for b in range(m)]
            opposite = [shape.apex @ of_ends for of_ends in edges]
            of_free = _sums([(of_apex, ends) for of_apex in means for ends in opposite])
            to_all = self._isosceles_of_all if shape.is_isosceles else self._scalene_of_all
            of_triangles.append(of_free @ to_all)
        none = [np.zeros((n, 0), dtype=np.float32)]
        return np.concatenate(of_pairs, axis=1), np.concatenate(of_triangles or none, axis=1)


def _sums(factors: Sequence[tuple[Float32Array, Float32Array]]) -> Float32Array:
    """Return the sums over sites of products, shape (n, k), of k pairs of shape (sites, n)."""
    return np.stack([np.einsum("sn,sn->n", one, other) for one, other in factors], axis=1)


def _symmetric(of_ordered: npt.ArrayLike, n_elements: int) -> FloatArray:
    """Return the map from unordered pairs of free elements to unordered pairs of all.

    Args:
        of_ordered: the same map between ordered pairs, shape (all², free²).
        n_elements: number of all.
    """
    m = n_elements - 1
    tensor = np.asarray(of_ordered, dtype=float).reshape(n_elements, n_elements, m, m)
    tensor = tensor[np.triu_indices(n_elements)]  # (unordered pairs of all, m, m)
    first, second = np.triu_indices(m)
    both = tensor[:, first, second] + tensor[:, second, first]
    return np.where(first == second, tensor[:, first, second], both)


def _clusters(parent: ParentLattice, n_elements: int, n_shells: int, triangles: bool) -> _Clusters:
    vectors, lengths = _vectors(parent)
    shells = _shell_lengths(lengths)[:n_shells]
    neighbours = [
        [np.argwhere(np.abs(of_site - length) < LENGTH_TOLERANCE) for of_site in lengths]
        for length in shells
    ]
    pairs = [_averages(of_shell) for of_shell in neighbours]
    if not triangles:
        return _Clusters(pairs, [], n_elements)
    n_bonds = int((shells <= BOND_REACH * shells[0]).sum())
    found: list[_Triangles] = []
    known: set[tuple[int, ...]] = set()
    for one, other in itertools.combinations_with_replacement(range(n_bonds), 2):
        by_edge: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for site in range(parent.n_sites):
            for p, (j, image) in enumerate(neighbours[one][site]):
                for q, (k, other_image) in enumerate(neighbours[other][site]):
                    if one == other and q <= p:
                        continue
                    edge = vectors[site, j, image] - vectors[site, k, other_image]
                    length = round(float(np.linalg.norm(edge)) / LENGTH_TOLERANCE / 2)
                    by_edge[length].append((site, int(j), int(k)))
        for length in sorted(by_edge):
            shape = tuple(sorted([_key(shells[one]), _key(shells[other]), length]))
            if shape not in known:  # three bonds: it is found from each of its corners
                known.add(shape)
                found.append(_triangles(np.array(by_edge[length]), parent.n_sites, one == other))
    return _Clusters(pairs, found, n_elements)


def _key(length: float) -> int:
    return round(float(length) / LENGTH_TOLERANCE / 2)


def _vectors(parent: ParentLattice) -> tuple[FloatArray, FloatArray]:
    """Return vectors from site to site and image, (sites, sites, images, 3), and their lengths, in
    an ideal cell of one unit of volume per atom."""
    images = np.array(list(itertools.product(range(-2, 3), repeat=3)))
    apart = parent.sites[None, :, None] - parent.sites[:, None, None] + images
    vectors = apart * np.array(parent.edges(1.0))
    return vectors, np.linalg.norm(vectors, axis=-1)


def _shell_lengths(lengths: FloatArray) -> FloatArray:
    rounded = np.unique(np.round(lengths[0][lengths[0] > LENGTH_TOLERANCE], 3))
    is_new = np.diff(rounded, prepend=-1.0) > LENGTH_TOLERANCE
    return rounded[is_new]


def _averages(neighbours: Sequence[IntArray]) -> csr_array:
    n, coordination = len(neighbours), len(neighbours[0])
    rows = np.repeat(np.arange(n), coordination)
    columns = np.concatenate([of_site[:, 0] for of_site in neighbours])
    weights = np.full(len(rows), 1 / coordination, dtype=np.float32)
    return coo_array((weights, (rows, columns)), shape=(n, n)).tocsr()


def _triangles(triangles: IntArray, n_sites: int, is_isosceles: bool) -> _Triangles:
    ends = np.sort(triangles[:, 1:], axis=1) if is_isosceles else triangles[:, 1:]
    edges, edge = np.unique(ends, axis=0, return_inverse=True)
    weights = np.full(len(triangles), n_sites / len(triangles), dtype=np.float32)
    apex = coo_array(
        (weights, (triangles[:, 0], edge.ravel())), shape=(n_sites, len(edges))
    ).tocsr()
    return _Triangles(apex, edges[:, 0], edges[:, 1], is_isosceles)
