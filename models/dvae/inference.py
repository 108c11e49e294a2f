"""Where an alloy is encoded: the encoder's guess, improved by the decoder's own likelihood."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alloop.models.dvae.network import TOTAL, DisentangledVae

_STEPS = 60
_LAST_STEPS = 30
"""Steps after those, ever shorter, so that the climb ends at the top and not around it."""
_RATE = 0.05
"""Length of a step, about, in standard deviations of p(u); a posterior is some 0.1 wide."""
_STARTS = 512
_WIDTH = 1.2
"""Standard deviation of the places where else is looked; a little wider than p(u)."""


@torch.no_grad()
def posterior_modes(
    network: DisentangledVae, fractions: Tensor, values: Sequence[Tensor]
) -> Tensor:
    """Return the most probable u given alloy and properties, shape (n, d).

    One encoder for all alloys serves those worst that are unlike the others (C. Cremer et al.,
    ICML 2018, "Inference suboptimality in variational autoencoders"). So its mean is only where
    the search begins (semi-amortised inference: Y. Kim et al., ICML 2018): log p(x|φ,u) + log p(u)
    is climbed from there and from the best of 512 places drawn, once and for all, from about
    p(u); the higher of the two tops is returned.

    Args:
        network: trained.
        fractions: shape (n, e).
        values: of each node, internal scale, shape (n,) each.
    """
    starts = [network.encode(fractions, values)[0], _best_of_many(network, fractions, values)]
    twice, both = fractions.repeat(2, 1), [value.repeat(2) for value in values]
    tops = _climb(network, torch.cat(starts), twice, both)
    first, second = _log_joint(network, tops, twice, both).chunk(2)
    one, other = tops.chunk(2)
    return torch.where((second > first)[:, None], other, one)


def _climb(
    network: DisentangledVae, start: Tensor, fractions: Tensor, values: Sequence[Tensor]
) -> Tensor:
    u = start.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([u], lr=_RATE)
    for step in range(_STEPS + _LAST_STEPS):
        optimiser.param_groups[0]["lr"] = _RATE * 0.85 ** max(0, step - _STEPS)
        with torch.enable_grad():
            depth = -_log_joint(network, u, fractions, values).sum()
        (u.grad,) = torch.autograd.grad(depth, u)
        optimiser.step()
    return u.detach()


def _log_joint(
    network: DisentangledVae, u: Tensor, fractions: Tensor, values: Sequence[Tensor]
) -> Tensor:
    """Return log p(x|φ,u) + log p(u), but for a constant of the alloy, shape (n,)."""
    logs = torch.log_softmax(network.decode(u, values), -1)
    return TOTAL * (fractions * logs).sum(-1) - 0.5 * u.square().sum(-1)


def _best_of_many(network: DisentangledVae, fractions: Tensor, values: Sequence[Tensor]) -> Tensor:
    """Return the best of the places drawn for each alloy, shape (n, d)."""
    draws = torch.Generator().manual_seed(0)
    places = _WIDTH * torch.randn(_STARTS, network.latents, generator=draws)
    best = torch.empty(len(fractions), network.latents)
    # What is decoded at a place depends on the properties only: once for each of their values.
    kinds, kind = torch.stack(list(values), -1).unique(dim=0, return_inverse=True)
    for number, properties in enumerate(kinds):
        rows = kind == number
        logs = torch.log_softmax(network.decode(places, list(properties[:, None])), -1)
        heights = TOTAL * fractions[rows] @ logs.T - 0.5 * places.square().sum(-1)
        best[rows] = places[heights.argmax(1)]
    return best
