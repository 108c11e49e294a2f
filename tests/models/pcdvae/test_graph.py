from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from alloop.models.lattice.parent import ParentLattice
from alloop.models.pcdvae.networks.crystal import ReducedCrystal, read_crystals
from alloop.models.pcdvae.networks.graph import Graph, collate, triplets
from alloop.models.pcdvae.networks.neighbours import nearest

SHELLS = {"fcc": (12, 6, 24, 12), "bcc": (8, 6, 12, 24)}


@pytest.mark.parametrize("name", ["fcc", "bcc"])
@pytest.mark.parametrize("k", [1, 8, 12, 14, 18, 20, 26, 42])
def test_whole_shells_are_kept_as_long_as_they_fit(name: str, k: int) -> None:
    graph = _graph(ParentLattice.of_size(name, 16).structure(["Ni"] * 16), k=k)
    totals = np.cumsum(SHELLS[name])
    fitting = totals[totals <= k]
    expected = fitting[-1] if len(fitting) else totals[0]
    assert set(torch.bincount(graph.target).tolist()) == {expected}


def test_neighbours_are_those_of_pymatgen(triclinic: Structure) -> None:
    crystal = ReducedCrystal.of(triclinic)
    pairs = nearest(crystal.positions, crystal.cell[None], np.array([8]), k=10_000, cutoff=5.0)
    for atom, neighbours in enumerate(triclinic.get_all_neighbors(5.0)):
        expected = sorted((n.nn_distance, n.index) for n in neighbours)
        rows = pairs.target == atom
        found = sorted(zip(pairs.distance[rows], pairs.source[rows], strict=True))
        assert [i for _, i in found] == [i for _, i in expected]
        assert [d for d, _ in found] == pytest.approx([d for d, _ in expected])


def test_a_search_that_begins_near_finds_the_same_as_one_that_goes_far(
    triclinic: Structure,
) -> None:
    crystal = ReducedCrystal.of(triclinic)
    scattered = crystal.positions + np.random.default_rng(0).normal(scale=3, size=(8, 3))
    n_atoms = np.array([8])
    few = nearest(scattered, crystal.cell[None], n_atoms, k=20, cutoff=7.0)
    everyone = nearest(scattered, crystal.cell[None], n_atoms, k=10_000, cutoff=7.0)
    for atom in range(8):
        all_distances = everyone.distance[everyone.target == atom]
        assert few.distance[few.target == atom] == pytest.approx(all_distances[:20])


def test_edges_come_with_their_reverse(triclinic: Structure) -> None:
    graph = _graph(triclinic)
    back = graph.reverse
    assert torch.equal(graph.source[back], graph.target)
    assert torch.equal(graph.target[back], graph.source)
    assert torch.allclose(graph.direction[back], -graph.direction)
    assert torch.allclose(graph.distance[back], graph.distance)
    assert torch.equal(back[back], torch.arange(len(back)))


def test_no_atom_has_more_than_k_edges(triclinic: Structure) -> None:
    assert int(torch.bincount(_graph(triclinic, k=9).target).max()) <= 9


def test_every_two_edges_of_an_atom_are_a_triplet(triclinic: Structure) -> None:
    graph = _graph(triclinic)
    first, second = triplets(graph)
    degree = torch.bincount(graph.target)
    assert len(first) == int((degree * (degree - 1)).sum())
    assert torch.equal(graph.target[first], graph.target[second])
    assert not (first == second).any()
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == len(first)


def test_collating_graphs_is_building_one(
    triclinic: Structure, decorated: Callable[..., Structure]
) -> None:
    crystals = read_crystals([triclinic, decorated("fcc"), decorated("bcc", seed=1)])
    together = Graph.of_crystals(crystals, k=20, cutoff=7.0)
    one_by_one = [Graph.of_crystals([crystal], k=20, cutoff=7.0) for crystal in crystals]
    _assert_same(collate(one_by_one), together)


def test_a_graph_cannot_be_changed(triclinic: Structure) -> None:
    with pytest.raises(AttributeError):
        _graph(triclinic).width = 3  # type: ignore[misc]


def test_an_atom_alone_has_no_edges() -> None:
    sparse = Structure(Lattice.cubic(30), ["Ni", "Fe"], [[0, 0, 0], [0.5] * 3])
    graph = _graph(sparse)
    assert len(graph.target) == 0
    assert graph.n == 2
    assert graph.sum_at_targets(torch.zeros(0, 3)).tolist() == [[0.0] * 3] * 2


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_edges_do_not_depend_on_how_a_crystal_is_written_down(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lattice = Lattice(np.diag([4.0, 4.5, 5.0]) + rng.normal(scale=0.4, size=(3, 3)))
    structure = Structure(lattice, ["Ni"] * 6, rng.random((6, 3)))
    order = rng.permutation(6)
    basis = np.eye(3, dtype=int)
    for _ in range(3):
        i, j = rng.permutation(3)[:2]
        basis[i] += rng.integers(-1, 2) * basis[j]
    coords = (structure.frac_coords + rng.integers(-3, 4, size=(6, 3)) + rng.random(3))[order]
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    other = Structure(
        Lattice(basis @ lattice.matrix @ rotation), ["Ni"] * 6, coords @ np.linalg.inv(basis)
    )
    assert _edges(other, order) == _edges(structure, np.arange(6))


def _edges(structure: Structure, names: np.ndarray) -> Counter[tuple[int, int, float]]:
    """Return target and source by name, and distance to a µÅ."""
    crystal = ReducedCrystal.of(structure, closest=1e-3)
    graph = Graph.of_crystals([crystal], k=12, cutoff=6.0, dtype=torch.float64)
    return Counter(
        (int(names[i]), int(names[j]), round(d, 6))
        for i, j, d in zip(
            graph.target.tolist(), graph.source.tolist(), graph.distance.tolist(), strict=True
        )
    )


def _graph(structure: Structure, k: int = 20) -> Graph:
    return Graph.of_crystals([ReducedCrystal.of(structure)], k=k, cutoff=7.0)


def _assert_same(one: Graph, other: Graph) -> None:
    assert one.width == other.width
    for name in ("crystal", "n_atoms", "target", "source", "reverse", "slot"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
    assert torch.equal(one.distance, other.distance)
    assert torch.equal(one.direction, other.direction)
