"""Cluster correlations against counting by hand, and against the pair correlations."""

import itertools

import numpy as np
import pytest
import torch

from alloop.lattices import LatticeName
from alloop.models.lattice.clusters import ClusterDescriptors
from alloop.models.lattice.correlations import correlations, neighbour_averages
from alloop.models.lattice.parent import ParentLattice

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("lattice", ["fcc", "bcc"])
def test_no_symmetry_changes_them_and_few_orderings_share_them(lattice: LatticeName) -> None:
    parent = ParentLattice.of_size(lattice, 54)
    describe = ClusterDescriptors([parent], 3)
    code = RNG.permutation(np.repeat([0, 1, 2], 18))
    images = code[parent.symmetries[:: len(parent.symmetries) // 20]]
    found = describe(images, np.zeros(len(images), dtype=int))
    assert np.ptp(found, axis=0).max() < 1e-6
    others = np.array([RNG.permutation(code) for _ in range(50)])
    assert len(np.unique(describe(others, np.zeros(50, dtype=int)).round(5), axis=0)) == 50


def test_pairs_are_the_short_range_order_of_the_lattice_model() -> None:
    parent = ParentLattice.of_size("fcc", 54)
    code = RNG.permutation(np.repeat([0, 1, 2], [10, 20, 24]))
    one_hot = torch.from_numpy(np.eye(3)[code])[None]
    weights = torch.ones(1, 1, dtype=torch.float64)
    expected = correlations(one_hot, neighbour_averages([parent]), weights)[0, 2:].numpy()
    describe = ClusterDescriptors([parent], 3, n_shells=3, triangles=False)
    found = describe(code[None], np.zeros(1, dtype=int))[0, 5:].reshape(3, 6)
    unlike = [1, 2, 4]  # of the pairs 00 01 02 11 12 22
    assert found[:, unlike].ravel() == pytest.approx(expected, abs=1e-6)


def test_triangles_of_nearest_neighbours_are_the_third_cumulant_counted_by_hand() -> None:
    # With 54 atoms, three bonds in a row also close, around the cell.
    parent = ParentLattice.of_size("fcc", 128)
    code = RNG.permutation(np.repeat([0, 1], 64))
    neighbours = [set(row) for row in parent.shells[0].tolist()]
    spin = np.where(code == 0, 0.5, -0.5)
    triples = [
        (i, j, k)
        for i in range(128)
        for j, k in itertools.combinations(sorted(neighbours[i]), 2)
        if k in neighbours[j]
    ]
    expected = np.mean([spin[i] * spin[j] * spin[k] for i, j, k in triples])
    found = ClusterDescriptors([parent], 2)(code[None], np.zeros(1, dtype=int))[0]
    # Behind the fraction, its square and seven shells of three pairs: triangle 0 00 comes first.
    assert found[2 + 7 * 3] == pytest.approx(expected, abs=1e-6)


def test_an_ordering_is_described_on_its_own_lattice_alone() -> None:
    parents = [ParentLattice.of_size("fcc", 16), ParentLattice.of_size("bcc", 16)]
    describe = ClusterDescriptors(parents, 2)
    code = RNG.permutation(np.repeat([0, 1], 8))
    fcc, bcc = describe(np.array([code, code]), np.array([0, 1]))
    n_shared, n_pairs, n_triangles = describe.group_sizes
    assert n_shared == 3  # the fraction, its square, and which lattice
    assert (fcc[2], bcc[2]) == (1, 0)
    assert n_shared + n_pairs + n_triangles == describe.n_features == len(fcc)
    assert not ((fcc[n_shared:] != 0) & (bcc[n_shared:] != 0)).any()
    alone = ClusterDescriptors(parents[:1], 2)
    single = alone(code[None], np.zeros(1, dtype=int))[0]
    its_shared, its_pairs, _ = alone.group_sizes
    assert fcc[n_shared : n_shared + its_pairs] == pytest.approx(
        single[its_shared : its_shared + its_pairs]
    )
