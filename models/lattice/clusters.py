"""Cluster correlations of decorations: pairs and triangles of sites, and the composition.

They are the descriptors of a cluster expansion (Sanchez, Ducastelle and Gratias, Physica A 128,
334 (1984)) in occupations centred on the composition of each set of equivalent sites, so that a
pair's correlation is the short-range order alone, −c_a c_b times the Warren–Cowley parameter, and a
triangle's what its three pairs do not say. No symmetry of the lattice changes them.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from alloop.models.lattice.neighbours import LENGTH_TOLERANCE, NeighbourList, shell_radii
from alloop.models.lattice.parent import FloatArray, IntArray, ParentLattice

N_SHELLS = 7
"""Number of shells of pairs; in 54 atoms the seventh is the last one that is not an image of
another."""
BOND_REACH = 1.2
"""Longest bond over the nearest neighbours' distance: twelve neighbours in fcc, eight and six in
bcc. Two edges of a triangle are bonds; the third has any length."""
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
    species: tuple[int, ...]
    """Species that its corners may hold."""


@dataclass(frozen=True)
class _Pairs:
    """Pairs of one length between two sets of equivalent sites."""

    averages: csr_array
    """Sum over a site's neighbours, shape (sites, sites), over the number of pairs per site."""
    species: tuple[int, ...]
    """Species that either end may hold."""


class ClusterDescriptors:
    """Descriptors of decorations of one or more parents of one size.

    Args:
        parents: of the same number of sites.
        n_elements: that the sites can hold.
        n_shells: shells of pairs.
        triangles: whether triangles of two bonds are described too.
        shared: whether the lattices share their columns, shell by shell, where they have as many;
            else each has its own, which are 0 on the others.
        species: that each sublattice may hold, by number; any, if left out.
    """

    def __init__(
        self,
        parents: Sequence[ParentLattice],
        n_elements: int,
        *,
        n_shells: int = N_SHELLS,
        triangles: bool = True,
        shared: bool = False,
        species: Sequence[tuple[int, ...]] | None = None,
    ) -> None:
        if shared and triangles:
            raise ValueError("triangles of different lattices are not alike: describe pairs alone")
        self.parents = tuple(parents)
        self._shared = shared
        self.n_elements = n_elements
        everything = tuple(range(n_elements))
        self._clusters = [
            _clusters(
                parent,
                species or [everything] * (int(parent.sublattice.max()) + 1),
                n_shells,
                triangles,
            )
            for parent in parents
        ]

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
        pairs: list[Float32Array] = []
        triangles: list[Float32Array] = []
        for index, clusters in enumerate(self._clusters):
            rows = np.flatnonzero(lattices == index)
            if index < len(self._clusters) - 1:
                composition.append((lattices == index).astype(np.float32)[:, None])
            points, centred = clusters.points(occupied[rows])
            for kept, found in zip(
                (composition, pairs, triangles),
                (points, *clusters.correlations(centred)),
                strict=True,
            ):
                block = np.zeros((len(codes), found.shape[1]), dtype=np.float32)
                block[rows] = found  # on another lattice its own clusters say what these cannot
                kept.append(block)
        if self._shared and len({block.shape[1] for block in pairs}) == 1:
            pairs = [np.sum(pairs, axis=0)]
        return (
            np.concatenate(composition, axis=1),
            np.concatenate(pairs, axis=1),
            np.concatenate(triangles, axis=1),
        )


class _Clusters:
    def __init__(
        self,
        pairs: Sequence[_Pairs],
        triangles: Sequence[_Triangles],
        classes: IntArray,
    ) -> None:
        self._pairs, self._triangles = pairs, triangles
        self._members = [np.flatnonzero(classes == one) for one in range(int(classes.max()) + 1)]

    @property
    def n_points(self) -> int:
        """Number of sets of equivalent sites beyond the first."""
        return len(self._members) - 1

    def points(self, occupied: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Return the free elements' shares of each set of equivalent sites less those of the whole,
        (n, sets × free), none for a single set, and the occupations less the shares of their set.

        Args:
            occupied: by the free elements, shape (n, sites, free).
        """
        shares = [occupied[:, mine].mean(axis=1) for mine in self._members]
        centred = np.empty_like(occupied)
        for mine, share in zip(self._members, shares, strict=True):
            centred[:, mine] = occupied[:, mine] - share[:, None]
        whole = occupied.mean(axis=1)
        apart = [share - whole for share in shares] if self.n_points else []
        none = [np.zeros((len(occupied), 0), dtype=np.float32)]
        return np.concatenate(apart or none, axis=1), centred

    def correlations(self, centred: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Return pairs and triangles of all elements that their sites may hold, shape (n,
        correlations) each.

        Only those of the free elements are computed, all but the last; the others follow. A linear
        model of them all treats the elements alike; of the free ones alone it would not.

        Args:
            centred: occupations of the free elements less their means, shape (n, sites, free).
        """
        n, n_sites, _ = centred.shape
        occupied_by_all = np.ascontiguousarray(centred.transpose(2, 1, 0))  # (free, sites, n)
        means_of_all = occupied_by_all / n_sites
        of_pairs, of_triangles = [], []
        for kind in self._pairs:
            free = list(kind.species[:-1])
            occupied, means = occupied_by_all[free], means_of_all[free]
            first, second = np.triu_indices(len(free))
            around = [kind.averages @ of_one for of_one in occupied]
            pairs = _sums([(means[a], around[b]) for a, b in zip(first, second, strict=True)])
            of_pairs.append(pairs @ _ToAll.of(len(kind.species)).pairs)
        for shape in self._triangles:
            free = list(shape.species[:-1])
            m = len(free)
            occupied, means = occupied_by_all[free], means_of_all[free]
            first, second = np.triu_indices(m)
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
            maps = _ToAll.of(len(shape.species))
            to_all = maps.isosceles if shape.is_isosceles else maps.scalene
            of_triangles.append(of_free @ to_all)
        none = [np.zeros((n, 0), dtype=np.float32)]
        return np.concatenate(of_pairs, axis=1), np.concatenate(of_triangles or none, axis=1)


@dataclass(frozen=True)
class _ToAll:
    """Maps from the correlations of the free elements to those of all."""

    pairs: Float32Array
    isosceles: Float32Array
    scalene: Float32Array

    @staticmethod
    @lru_cache(maxsize=32)
    def of(n_elements: int) -> "_ToAll":
        """Return the maps for so many elements, of which all but one are free."""
        # The last element's occupation is what the free ones leave.
        of_element = np.vstack([np.eye(n_elements - 1), -np.ones(n_elements - 1)])
        pair = _symmetric(np.kron(of_element, of_element), n_elements)
        scalene = np.kron(of_element, np.kron(of_element, of_element))
        matrices = pair, np.kron(of_element, pair), scalene
        return _ToAll(*(matrix.T.astype(np.float32) for matrix in matrices))


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


def _clusters(
    parent: ParentLattice, species: Sequence[tuple[int, ...]], n_shells: int, triangles: bool
) -> _Clusters:
    classes = parent.site_classes
    of_class = [
        {each for group in np.unique(parent.sublattice[classes == one]) for each in species[group]}
        for one in range(int(classes.max()) + 1)
    ]
    near = parent.neighbours(n_shells)
    pairs = _pairs(parent, of_class, near, n_shells)
    if not triangles:
        return _Clusters(pairs, [], classes)
    by_shape: dict[tuple[Any, ...], list[tuple[int, int, int]]] = defaultdict(list)
    for site in range(parent.n_sites):
        mine = near.of(site)
        others, vectors = near.others[mine], near.vectors[mine]
        lengths, bonds = near.lengths[mine], near.shells[mine]
        is_bond = lengths <= BOND_REACH * lengths.min()
        others, vectors, lengths, bonds = (x[is_bond] for x in (others, vectors, lengths, bonds))
        for p, q in itertools.product(range(len(others)), repeat=2):
            ends = [(int(bonds[k]), int(classes[others[k]])) for k in (p, q)]
            if ends[0] > ends[1] or (ends[0] == ends[1] and q <= p):
                continue
            edge = _key(float(np.linalg.norm(vectors[p] - vectors[q])))
            shape = (
                (ends[0][0], ends[1][0], edge, ends[0][1], ends[1][1], int(classes[site])),
                (_key(lengths[p]), _key(lengths[q])),
            )
            by_shape[shape].append((site, int(others[p]), int(others[q])))
    found: list[_Triangles] = []
    known: set[tuple[Any, ...]] = set()
    for shape in sorted(by_shape):
        (one, other, edge, *corners), (first, second) = shape
        # Three bonds: it is found from each of its corners.
        same = _whichever_corner(corners[2], corners[0], corners[1], first, second, edge)
        if same not in known:
            known.add(same)
            is_isosceles = (one, corners[0]) == (other, corners[1])
            held = tuple(sorted(set().union(*(of_class[corner] for corner in corners))))
            triples = np.array(by_shape[shape])
            found.append(_triangles(triples, parent.n_sites, is_isosceles, held))
    return _Clusters(pairs, found, classes)


def _pairs(
    parent: ParentLattice, of_class: Sequence[set[int]], near: NeighbourList, n_shells: int
) -> list[_Pairs]:
    """Return the kinds of pairs, the shorter first."""
    classes = parent.site_classes
    kinds = np.sort(np.stack([classes[near.centres], classes[near.others]]), axis=0)
    found = []
    for kind in np.unique(kinds, axis=1).T:
        mine = (kinds == kind[:, None]).all(axis=0)
        for radius in shell_radii(near.lengths[mine])[:n_shells]:
            rows = mine & (np.abs(near.lengths - radius) < LENGTH_TOLERANCE)
            weight = parent.n_sites / rows.sum()
            weights = np.full(rows.sum(), weight, dtype=np.float32)
            matrix = coo_array(
                (weights, (near.centres[rows], near.others[rows])), shape=(parent.n_sites,) * 2
            )
            held = tuple(sorted(of_class[kind[0]] | of_class[kind[1]]))
            found.append((float(radius), _Pairs(matrix.tocsr(), held)))
    return [kind for _, kind in sorted(found, key=lambda pair: pair[0])]


def _whichever_corner(
    apex: int, one: int, other: int, to_one: int, to_other: int, opposite: int
) -> tuple[Any, ...]:
    """Return the classes of a triangle's corners, each with the length of the edge opposite to it,
    in an order that does not tell which corner came first."""
    corners = ((apex, opposite), (one, to_other), (other, to_one))
    return tuple(sorted(corners))


def _key(length: float) -> int:
    return round(float(length) / LENGTH_TOLERANCE / 2)


def _triangles(
    triangles: IntArray, n_sites: int, is_isosceles: bool, species: tuple[int, ...]
) -> _Triangles:
    ends = np.sort(triangles[:, 1:], axis=1) if is_isosceles else triangles[:, 1:]
    edges, edge = np.unique(ends, axis=0, return_inverse=True)
    weights = np.full(len(triangles), n_sites / len(triangles), dtype=np.float32)
    apex = coo_array(
        (weights, (triangles[:, 0], edge.ravel())), shape=(n_sites, len(edges))
    ).tocsr()
    return _Triangles(apex, edges[:, 0], edges[:, 1], is_isosceles, species)
