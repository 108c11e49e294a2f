"""Which element sits where: the decoration whose encoding is nearest to the latent point.

The published decoder names elements atom by atom, and with several atoms wrong none of the
crystal's neighbourhoods is right. The encoder knows decorations apart: of alloys of 16 atoms on
their right places the true one has the nearest encoding. So the decoder is inverted by search, as
the lattice model's decorations are found by assignment: from the decoder's decoration, change by
change (two atoms exchanged, or another element for one), to the nearest encoding within reach.
Which changes are worth evaluating is read off the gradient with respect to the atoms' embedded
elements, as in Gibbs sampling with gradients (Grathwohl et al. 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alloop.models.pcdvae.networks.encoder import Encoder
from alloop.models.pcdvae.networks.graph import Graph, collate
from alloop.models.pcdvae.vocabulary import CountBounds

MOST_CHANGES = 32
"""Largest number of changes of one crystal; those of 16 atoms take two to four."""

LEAST_GAIN = 1e-5
"""Least step towards the latent point: equivalent decorations differ by rounding alone."""
AT_ONCE = 256
"""Number of crystals encoded at once; bounds the memory."""


@dataclass
class Decoration:
    """A crystal of fixed places whose elements are sought."""

    graph: Graph
    species: Tensor
    """Index of each atom's element, shape (n,)."""
    z: Tensor
    """Latent point to come near to, shape (latent,)."""


def decorate(
    encoder: Encoder, crystals: Sequence[Decoration], bounds: CountBounds, *, n_evaluated: int
) -> None:
    """Change the elements of crystals until none of the changes looked at brings the encoding
    nearer to the latent point.

    Args:
        encoder: trained; its weights are left alone.
        crystals: changed in place.
        bounds: fewest and most atoms of each element.
        n_evaluated: number of changes that are evaluated at each step, those that the gradient
            likes best.
    """
    active = list(crystals)
    for _ in range(MOST_CHANGES):
        if not active:
            return
        distances, proposals = _proposals(encoder, active, bounds, n_evaluated)
        active = _accept_best(encoder, active, distances, proposals)


def changes(species: Tensor, n_elements: int, bounds: CountBounds) -> Tensor:
    """Return every decoration that is one change away, within bounds, shape (m, n)."""
    n = len(species)
    first, second = torch.triu_indices(n, n, 1, device=species.device)
    unlike = species[first] != species[second]
    first, second = first[unlike], second[unlike]
    exchanged = species.repeat(len(first), 1)
    row = torch.arange(len(first), device=species.device)
    exchanged[row, first], exchanged[row, second] = species[second], species[first]

    counts = torch.bincount(species, minlength=n_elements)
    low, high = torch.tensor(bounds, device=species.device).T
    atom = torch.arange(n, device=species.device).repeat_interleave(n_elements)
    element = torch.arange(n_elements, device=species.device).repeat(n)
    may_go, may_come = (counts > low)[species[atom]], (counts < high)[element]
    allowed = (species[atom] != element) & may_go & may_come
    atom, element = atom[allowed], element[allowed]
    replaced = species.repeat(len(atom), 1)
    replaced[torch.arange(len(atom), device=species.device), atom] = element
    return torch.cat([exchanged, replaced])


def _proposals(
    encoder: Encoder, crystals: Sequence[Decoration], bounds: CountBounds, n_evaluated: int
) -> tuple[Tensor, list[Tensor]]:
    """Return each crystal's distance, shape (b,), and its most promising changes."""
    embedded = encoder.embedding.atoms.weight.detach()
    with torch.enable_grad():
        atoms = embedded[torch.cat([crystal.species for crystal in crystals])].requires_grad_()
        mean, _ = encoder.of_features(collate([crystal.graph for crystal in crystals]), atoms)
        off = mean - torch.stack([crystal.z for crystal in crystals])
        (gradient,) = torch.autograd.grad(0.5 * off.square().sum(), atoms)
    proposals = []
    sizes = [len(crystal.species) for crystal in crystals]
    for crystal, slope in zip(crystals, gradient.split(sizes), strict=True):
        near = changes(crystal.species, len(embedded), bounds)
        expected = torch.einsum("mnw,nw->m", embedded[near] - embedded[crystal.species], slope)
        proposals.append(near[expected.argsort(stable=True)[:n_evaluated]])
    return off.detach().norm(dim=1), proposals


@torch.no_grad()
def _accept_best(
    encoder: Encoder,
    crystals: Sequence[Decoration],
    distances: Tensor,
    proposals: Sequence[Tensor],
) -> list[Decoration]:
    """Take each crystal's nearest proposal, and return those crystals that came nearer."""
    pairs = [
        (c, near) for c, proposed in zip(crystals, proposals, strict=True) for near in proposed
    ]
    if not pairs:
        return []
    found = torch.cat(
        [
            _distances(encoder, pairs[first : first + AT_ONCE])
            for first in range(0, len(pairs), AT_ONCE)
        ]
    )
    improved = []
    of_each = found.split([len(proposed) for proposed in proposals])
    for crystal, before, proposed, after in zip(
        crystals, distances, proposals, of_each, strict=True
    ):
        if len(after) and bool(after.min() < before - LEAST_GAIN):
            crystal.species = proposed[int(after.argmin())]
            improved.append(crystal)
    return improved


def _distances(encoder: Encoder, pairs: Sequence[tuple[Decoration, Tensor]]) -> Tensor:
    """Return how far from its latent point each crystal is with other elements, shape (n,)."""
    graph = collate([crystal.graph for crystal, _ in pairs])
    mean, _ = encoder(graph, torch.cat([species for _, species in pairs]))
    return (mean - torch.stack([crystal.z for crystal, _ in pairs])).norm(dim=1)
