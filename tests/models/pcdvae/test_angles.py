import numpy as np
import pytest
import torch
from pymatgen.core import Structure
from scipy.special import eval_legendre, sph_harm_y

from alloop.models.pcdvae.networks.angles import Angles, harmonics
from alloop.models.pcdvae.networks.crystal import ReducedCrystal
from alloop.models.pcdvae.networks.graph import Graph, triplets


@pytest.fixture
def graph(triclinic: Structure) -> Graph:
    return Graph.of_crystals([ReducedCrystal.of(triclinic)], k=12, cutoff=6.0, dtype=torch.float64)


def test_harmonics_obey_the_addition_theorem() -> None:
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    values = harmonics(torch.from_numpy(directions), 7).numpy()
    for order in range(7):
        columns = values[:, order**2 : (order + 1) ** 2]
        expected = eval_legendre(order, (directions @ directions.T).clip(-1, 1))
        assert np.allclose(columns @ columns.T, expected, atol=1e-12)


def test_angles_are_summed_as_over_listed_triplets(graph: Graph) -> None:
    orders, width = 7, 5
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(len(graph.slot), width, generator=generator, dtype=torch.float64)
    by_order = torch.randn(len(graph.slot), orders, width, generator=generator, dtype=torch.float64)
    first, second = triplets(graph)
    polar = _polar(graph, first, second, orders)
    correlated = torch.zeros(len(x), orders, width, dtype=torch.float64)
    correlated.index_add_(0, first, polar[:, :, None] * x[second][:, None])
    contracted = torch.zeros(len(x), width, dtype=torch.float64)
    contracted.index_add_(0, first, (polar[:, :, None] * by_order[second]).sum(dim=1))
    angles = Angles.of(graph, orders)
    assert torch.allclose(angles.correlate(x), correlated, atol=1e-12)
    assert torch.allclose(angles.contract(by_order), contracted, atol=1e-12)


def _polar(graph: Graph, first: torch.Tensor, second: torch.Tensor, orders: int) -> torch.Tensor:
    """Return Y_l0 of the triplets' angles by scipy, shape (t, orders)."""
    cosine = (graph.direction[first] * graph.direction[second]).sum(dim=1).clamp(-1, 1)
    theta = np.arccos(cosine.numpy())
    return torch.from_numpy(
        np.stack([sph_harm_y(order, 0, theta, 0.0).real for order in range(orders)], axis=1)
    )
