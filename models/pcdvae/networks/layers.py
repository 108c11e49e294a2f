"""Layers that keep the size of what goes through them, as GemNet's do."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SILU_GAIN = 1 / 0.6
"""Gain after SiLU with which standard normal numbers keep about unit variance (GemNet, section
6)."""

INV_SQRT_2 = 1 / math.sqrt(2)
"""Factor 1 / √2, which keeps the variance of a sum of two."""


class Dense(nn.Module):
    """A linear map without bias, begun orthogonal, and usually SiLU after it."""

    def __init__(self, inputs: int, outputs: int, *, activated: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(orthogonal(outputs, inputs))
        self.activated = activated

    def forward(self, x: Tensor) -> Tensor:
        """Map the last dimension."""
        y = F.linear(x, self.weight)
        return F.silu(y) * SILU_GAIN if self.activated else y


class Residual(nn.Module):
    """Two dense layers beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Parameter(orthogonal(width, width))
        self.second = nn.Parameter(orthogonal(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return (x + dense(dense(x))) / √2.

        Factors are multiplied into weights or into the sum: passes over the features of all edges
        take longer than some of the products.
        """
        hidden = F.silu(F.linear(x, self.first))
        y = F.silu(F.linear(hidden, self.second * SILU_GAIN))
        return torch.add(x * INV_SQRT_2, y, alpha=SILU_GAIN * INV_SQRT_2)


class Scale(nn.Module):
    """A constant factor that undoes what a sum over neighbours does to the variance.

    It is measured on data before training, once (GemNet, section 6: "scaling factors").
    """

    factor: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("factor", torch.ones(()))
        self.is_measuring = False

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """Return x, scaled; while measuring, first set the factor so that x has the variance of
        ``before``."""
        if self.is_measuring:
            spread = x.detach().var()
            if spread > 0:
                self.factor.copy_((before.detach().var() / spread).sqrt())
        return x * self.factor


@contextmanager
def fitting_scales(network: nn.Module) -> Iterator[None]:
    """Let every ``Scale`` of the network take its factor from what passes through, within the
    block."""
    scales = [module for module in network.modules() if isinstance(module, Scale)]
    for scale in scales:
        scale.is_measuring = True
    try:
        yield
    finally:
        for scale in scales:
            scale.is_measuring = False


def orthogonal(outputs: int, inputs: int) -> Tensor:
    """Return a random matrix with orthogonal rows or columns that keeps the variance.

    Its entries have zero mean along each row and variance 1 / inputs (GemNet, section 6).
    """
    weight = nn.init.orthogonal_(torch.empty(outputs, inputs))
    if inputs > 1:
        weight = weight - weight.mean(dim=1, keepdim=True)
        weight = weight / weight.var(dim=1, keepdim=True, correction=0).sqrt()
    return weight / math.sqrt(inputs)
