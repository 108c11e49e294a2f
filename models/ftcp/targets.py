"""The target-learning branch: an ensemble of heads from latent points to properties (Eq. 2)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from alloop.materials import Material, material_id

WIDTHS = (128, 32)
"""Widths of a head's hidden layers, as published."""
RANGE_MARGIN = 0.1
"""Margin beyond the smallest and largest label, as a share of their span: a sigmoid reaches its
ends nowhere. The paper leaves none."""
CALIBRATION_SHARE = 10
"""Inverse share of calibration crystals: one in so many trains no head, and the heads' error on
these is their noise."""
MIN_CALIBRATION_LABELS = 3
"""Number of calibration labels below which the labels' own spread stands for the noise."""
MIN_NOISE = 1e-3
"""Least noise of a property, as a share of its labels' span."""


class TargetBranch(nn.Module):
    """Ensemble of M heads, each σ(g(z)) scaled to the range of the labels.

    The heads start differently and weigh rows differently (the Bayesian bootstrap), so they
    differ where the labels do not decide.
    """

    def __init__(self, latents: int, properties: int, *, heads: int) -> None:
        super().__init__()
        sizes = (latents, *WIDTHS, properties)
        self.weights = nn.ParameterList(
            torch.randn(heads, below, above) * math.sqrt(2 / below)
            for below, above in pairwise(sizes)
        )
        self.biases = nn.ParameterList(torch.zeros(heads, 1, above) for above in sizes[1:])
        for name in ("low", "high", "spread", "noise"):
            self.register_buffer(name, torch.full((properties,), torch.nan))

    low: Tensor
    high: Tensor
    """Ends of the labels' range with its margin, shape (p,); NaN for a property without labels."""
    spread: Tensor
    """Standard deviation of the labels, shape (p,)."""
    noise: Tensor
    """Standard deviation of labels about the heads' mean, on calibration crystals, shape (p,)."""

    def forward(self, z: Tensor) -> Tensor:
        """Return the scaled predictions R(z) in [0, 1], shape (M, n, p), of latent points (n,
        d)."""
        return torch.sigmoid(self._linear(2, self.hidden(z)))

    def hidden(self, z: Tensor) -> Tensor:
        """Return every head's last hidden layer, shape (M, n, 32)."""
        return torch.relu(self._linear(1, torch.relu(self._linear(0, z))))

    def widen_range(self, labels: Tensor) -> None:
        """Widen the range to hold the labels, shape (n, p), NaN where not known."""
        for p in range(labels.shape[1]):
            known = labels[labels[:, p].isfinite(), p]
            if len(known) < 2:
                continue
            low, high = float(known.min()), float(known.max())
            room = RANGE_MARGIN * (high - low) or 1.0  # all labels equal: any range will do
            if not low >= self.low[p] or not high <= self.high[p]:  # also where these are NaN
                self.low[p] = min(_value_or(self.low[p], low), low - room)
                self.high[p] = max(_value_or(self.high[p], high), high + room)
            self.spread[p] = float(known.std()) or room

    def scaled(self, labels: Tensor) -> Tensor:
        """Return labels with the range mapped to [0, 1]; NaN stays."""
        return (labels - self.low) / (self.high - self.low)

    def predict(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation in the properties' units, (n, p) each.

        The variance is the noise plus the heads' own spread; both are NaN for a property of
        which fewer than two labels were seen.
        """
        values = self.low + (self.high - self.low) * self(z)
        mean = values.mean(dim=0)
        spread = (values - mean).square().mean(dim=0)
        return mean, (spread + self.noise.square()).sqrt()

    def calibrate(self, z: Tensor, labels: Tensor) -> Tensor:
        """Set the noise by crystals that trained no head; return the mean absolute errors, (p,).

        Args:
            z: latent means, shape (n, d).
            labels: shape (n, p), in units.
        """
        self.noise.zero_()
        mean, own = self.predict(z)
        errors = torch.full_like(self.noise, torch.nan)
        for p in range(labels.shape[1]):
            if not self.low[p].isfinite():
                self.noise[p] = torch.nan
                continue
            known = labels[:, p].isfinite()
            if known.sum() < MIN_CALIBRATION_LABELS:
                self.noise[p] = self.spread[p]
                continue
            misses = mean[known, p] - labels[known, p]
            variance = misses.square().mean() - own[known, p].square().mean()
            least = MIN_NOISE * (self.high[p] - self.low[p])
            self.noise[p] = variance.clamp_min(0).sqrt().clamp_min(least)
            errors[p] = misses.abs().mean()
        return errors

    def _linear(self, layer: int, hidden: Tensor) -> Tensor:
        product: Tensor = hidden @ self.weights[layer] + self.biases[layer]
        return product


def is_calibration(materials: Sequence[Material]) -> np.ndarray:
    """Return which crystals train no head, shape (n,).

    Their ids decide, so that a crystal kept back once is kept back by every later fit.
    """
    ids = [int(material_id(material)[:12], 16) for material in materials]
    return np.array([number % CALIBRATION_SHARE == 0 for number in ids], dtype=bool)


def bootstrap_weights(n: int, heads: int) -> Tensor:
    """Return every head's weight of every row, shape (heads, n); one on average."""
    return torch.empty(heads, n).exponential_()


def _value_or(value: Tensor, other: float) -> float:
    return float(value) if value.isfinite() else other
