"""The interaction against torch_geometric's DimeNet++ blocks, with the same weights."""

import torch
from pymatgen.core import Structure
from torch_geometric.nn.models.dimenet import InteractionPPBlock

from alloop.models.pcdvae.networks.angles import Angles
from alloop.models.pcdvae.networks.basis import RadialBasis
from alloop.models.pcdvae.networks.crystal import ReducedCrystal
from alloop.models.pcdvae.networks.encoder import N_ORDERS, N_RADIAL, Interaction
from alloop.models.pcdvae.networks.graph import Graph, triplets

WIDTH = 10

NAMES = {
    "radial.0": "lin_rbf1",
    "radial.1": "lin_rbf2",
    "spherical_first": "lin_sbf1",
    "spherical_second": "lin_sbf2",
    "before": "lin_kj",
    "own": "lin_ji",
    "down": "lin_down",
    "up": "lin_up",
    "residuals_before.0.first": "layers_before_skip.0.lin1",
    "residuals_before.0.second": "layers_before_skip.0.lin2",
    "skip": "lin",
    "residuals_after.0.first": "layers_after_skip.0.lin1",
    "residuals_after.0.second": "layers_after_skip.0.lin2",
    "residuals_after.1.first": "layers_after_skip.1.lin1",
    "residuals_after.1.second": "layers_after_skip.1.lin2",
}


def test_the_interaction_is_that_of_torch_geometric(triclinic: Structure) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ours = Interaction(WIDTH).double()
        theirs = InteractionPPBlock(
            hidden_channels=WIDTH,
            int_emb_size=WIDTH // 2,
            basis_emb_size=8,
            num_spherical=N_ORDERS,
            num_radial=N_RADIAL,
            num_before_skip=1,
            num_after_skip=2,
            act=torch.nn.functional.silu,
        ).double()
        graph = Graph.of_crystals(
            [ReducedCrystal.of(triclinic)], k=12, cutoff=6.0, dtype=torch.float64
        )
        x = torch.randn(len(graph.slot), WIDTH, dtype=torch.float64)
    weights = {
        f"{their_name}.{name.rsplit('.', 1)[1]}": value
        for our_name, their_name in NAMES.items()
        for name, value in ours.state_dict().items()
        if name.rsplit(".", 1)[0] == our_name
    }
    theirs.load_state_dict(weights)
    basis = RadialBasis(N_RADIAL, N_ORDERS, 6.0)
    radial, spherical = basis(graph.distance)
    # An edge j → i is the reverse of one whose target is j, like the edges k → j before it.
    out, before = triplets(graph)
    joint = (spherical[before] * _polar(graph, out, before)[:, :, None]).flatten(1)
    with torch.no_grad():
        expected = theirs(x, radial, joint, idx_kj=before, idx_ji=graph.reverse[out])
        found = ours(Angles.of(graph, N_ORDERS), x, radial, spherical)
    assert torch.allclose(found, expected, atol=1e-10)


def _polar(graph: Graph, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return Y_l0 of the triplets' angles by torch's Legendre polynomials, shape (t, orders)."""
    cosine = (graph.direction[first] * graph.direction[second]).sum(dim=1)
    orders = torch.arange(N_ORDERS, dtype=torch.float64)
    legendre = torch.special.legendre_polynomial_p(cosine[:, None], orders)
    return legendre * ((2 * orders + 1) / (4 * torch.pi)).sqrt()
