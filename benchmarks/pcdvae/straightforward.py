"""P-CDVAE's step as one writes it first, to compare with: triplets listed one by one.

The encoder gathers a joint basis of distance and angle for every triplet, as DimeNet++ is usually
written; the decoder gathers messages into one padded array per receiving edge and multiplies, as
GemNet's efficient bilinear layer is; features of two atoms and their edge are joined into one row
for each edge; the neighbour search always goes to the cutoff. Weights and results are those of the
fast version.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn import functional as F

from alloop.models.pcdvae.networks.angles import Angles, harmonic_at_zero
from alloop.models.pcdvae.networks.decoder import JoinAtoms
from alloop.models.pcdvae.networks.encoder import Interaction
from alloop.models.pcdvae.networks.graph import Graph, triplets


@contextmanager
def straightforward() -> Iterator[None]:
    """While it lasts, networks list triplets and searches go to the cutoff."""
    with (
        patch.object(Interaction, "forward", _listed_interaction),
        patch.object(JoinAtoms, "forward", _joined),
        patch.object(Angles, "of", classmethod(lambda cls, graph, orders: Listed(graph, orders))),
        patch("alloop.models.pcdvae.networks.neighbours._MARGIN", 1e6),
    ):
        yield


class Listed:
    """Stands in for ``Angles``: the triplets of a graph and their angular functions."""

    def __init__(self, graph: Graph, orders: int) -> None:
        self.graph = graph
        self.first, self.second = triplets(graph)
        cosine = (graph.direction[self.first] * graph.direction[self.second]).sum(dim=1)
        self.polar = _legendre(cosine.clamp(-1, 1), orders)  # (t, L)
        start = torch.zeros(len(graph.slot) + 1, dtype=torch.long)
        start[1:] = torch.bincount(self.first, minlength=len(graph.slot)).cumsum(0)
        by_first = torch.argsort(self.first, stable=True)
        self.first, self.second = self.first[by_first], self.second[by_first]
        self.polar = self.polar[by_first]
        self.place = torch.arange(len(self.first)) - start[self.first]

    def correlate(self, x: Tensor) -> Tensor:
        """Return what ``Angles.correlate`` does, through padded arrays."""
        n, width = len(x), int(self.place.max()) + 1 if len(self.place) else 1
        flat = self.first * width + self.place
        messages = x.new_zeros(n * width, x.shape[1]).index_copy(0, flat, x[self.second])
        polar = x.new_zeros(n * width, self.polar.shape[1]).index_copy(0, flat, self.polar.to(x))
        return polar.unflatten(0, (n, width)).transpose(1, 2) @ messages.unflatten(0, (n, width))


def _listed_interaction(
    self: Interaction, angles: Listed, x: Tensor, radial: Tensor, spherical: Tensor
) -> Tensor:
    own = F.silu(self.own(x))
    before = F.silu(self.down(F.silu(self.before(x)) * self.radial(radial)))
    joint = (spherical[angles.second] * angles.polar[:, :, None].to(x)).flatten(1)  # (t, 42)
    weights = self.spherical_second(self.spherical_first(joint))
    zeros = torch.zeros_like(before)
    summed = zeros.index_add(0, angles.first, before[angles.second] * weights)
    return self.joined(x, own, summed[angles.graph.reverse])


def _joined(self: JoinAtoms, graph: Graph, atoms: Tensor, own: Tensor) -> Tensor:
    ends = [atoms.index_select(0, graph.source), atoms.index_select(0, graph.target)]
    return self.join(torch.cat([*ends, own], dim=1))


def _legendre(cosine: Tensor, orders: int) -> Tensor:
    """Return Y_l0 of angles, shape (t,) to (t, L), by the recurrence of Legendre polynomials."""
    values = [torch.ones_like(cosine), cosine]
    for k in range(2, orders):
        values.append(((2 * k - 1) * cosine * values[-1] - (k - 1) * values[-2]) / k)
    return torch.stack(
        [harmonic_at_zero(k) * value for k, value in enumerate(values[:orders])], dim=1
    )
