"""The fast networks compute what straightforward ones with listed triplets do."""

from collections.abc import Callable

import torch
from pymatgen.core import Structure

from alloop.models.pcdvae.networks.crystal import read_crystals
from alloop.models.pcdvae.networks.decoder import Decoder
from alloop.models.pcdvae.networks.encoder import Encoder
from alloop.models.pcdvae.networks.graph import Graph
from benchmarks.pcdvae.straightforward import straightforward


def test_listing_triplets_gives_the_same(
    triclinic: Structure, decorated: Callable[..., Structure]
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = Encoder(3, 6, width=12, blocks=2, cutoff=6.0).double()
        decoder = Decoder(3, 3, 4, width=12, blocks=2, cutoff=6.0).double()
        for forces in decoder.forces:
            torch.nn.init.normal_(forces.strength.weight)
    crystals = read_crystals([triclinic, decorated("bcc")])

    def run() -> list[torch.Tensor]:
        graph = Graph.of_crystals(crystals, k=14, cutoff=6.0, dtype=torch.float64)
        species = torch.arange(graph.n) % 3
        context = torch.linspace(-1, 1, 4, dtype=torch.float64).expand(graph.n, -1)
        with torch.no_grad():
            return [*encoder(graph, species), *decoder(graph, species, context)]

    fast = run()
    with straightforward():
        slow = run()
    for one, other in zip(fast, slow, strict=True):
        assert torch.allclose(one, other, atol=1e-9)
