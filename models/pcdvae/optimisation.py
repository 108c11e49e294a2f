"""Latent points with better predicted properties."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alloop.models.pcdvae.networks.network import PcdvaeNetwork

LEARNING_RATE = 1e-3
STEPS = (200, 500, 1000, 1500, 2500)
"""Numbers of Adam steps on z after which AlloGen decodes (section 4.3)."""


def optimise(
    network: PcdvaeNetwork, z: Tensor, column: int, *, maximise: bool, steps: Sequence[int] = STEPS
) -> dict[int, Tensor]:
    """Climb the property head from latent points, by Adam.

    Nothing keeps the points where the decoder knows its way: the paper stops when most no longer
    decode to crystals. The loop's search climbs from what was decoded instead, and near it
    (``alloop.loop.choose.search``).

    Args:
        network: trained; its weights are left alone.
        z: starting points, shape (n, latent).
        column: of the property.
        maximise: or minimise.
        steps: rising.

    Returns:
        The points after each of the steps, without gradient.
    """
    points = z.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([points], lr=LEARNING_RATE)
    found: dict[int, Tensor] = {}
    for step in range(1, max(steps) + 1):
        mean = network.heads(points).property_mean[:, column].sum()
        (points.grad,) = torch.autograd.grad(-mean if maximise else mean, points)
        optimiser.step()
        if step in steps:
            found[step] = points.detach().clone()
    return found
