"""The map between z, which knows nothing of the phase, and the place where an alloy is decoded."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

_LEAST_GAP = 1e-3
"""Between knots, in standard deviations: the map stays invertible where points coincide."""
_LEAST_VARIANCE = 1e-3
"""Least variance along any direction, where alloys all but coincide; others have about 1."""
_LEAST_KNOWN = 0.2
"""Least difference in how often heads say one of two outcomes, given either: a guess has 0,
perfect heads have 1."""
_LEAST_WEIGHT = 0.02
"""Alloys that are less likely to have an outcome say nothing about it."""


class Transport(nn.Module):
    """For each outcome φ of the yes-or-no properties, an invertible map u = T_φ(z).

    The encoder gives u; alloys with different φ lie in different parts of that space. T_φ is
    fitted so that z = T_φ⁻¹(u) of the alloys with that φ is standard normal, whichever φ it is:
    then z and φ are independent, as Eq. 1 says they are. It is iterative Gaussianisation (V.
    Laparra et al., IEEE Trans. Neural Netw. 22 (2011) 537): rotate at random, make each axis
    normal by its quantiles, rotate back, and again. Quantiles leave the tails as they are, so a
    last step takes out each outcome's mean and covariance, from which a line could tell outcomes
    apart. In the model, p(z) stays N(0, 1), and the decoder's network sees T_φ(z).
    """

    def __init__(self, latents: int, *, outcomes: int, layers: int, knots: int) -> None:
        super().__init__()
        levels = torch.linspace(0, 1, knots + 2, dtype=torch.float64)[1:-1]
        targets = torch.special.ndtri(levels)
        rotations = torch.eye(latents, dtype=torch.float64).repeat(layers, 1, 1)
        self.register_buffer("targets", targets, persistent=False)
        self.register_buffer("rotations", rotations)
        self.register_buffer("knots", targets.repeat(outcomes, layers, latents, 1))
        self.register_buffer("middle", torch.zeros(outcomes, latents, dtype=torch.float64))
        spread = torch.eye(latents, dtype=torch.float64).repeat(outcomes, 1, 1)
        self.register_buffer("spread", spread)
        self.register_buffer("mean", torch.zeros(latents, dtype=torch.float64))
        self.register_buffer("std", torch.ones(latents, dtype=torch.float64))

    targets: Tensor
    """Normal quantiles that knots are mapped to, shape (k,)."""
    rotations: Tensor
    """Rotations before each layer, shape (layers, d, d)."""
    knots: Tensor
    """Quantiles of each axis, shape (outcomes, layers, d, k)."""
    middle: Tensor
    """What becomes z = 0 of each outcome after all layers, shape (outcomes, d)."""
    spread: Tensor
    """Lower triangular root of their covariance, shape (outcomes, d, d)."""
    mean: Tensor
    std: Tensor

    def fit(self, u: Tensor, weights: Tensor, generator: torch.Generator) -> None:
        """Fit to encoded alloys.

        Args:
            u: where each alloy lies if it has each outcome, shape (outcomes, n, d).
            weights: how far each alloy has each outcome, shape (outcomes, n).
            generator: of the rotations.
        """
        u, weights = u.double(), weights.double()
        share = (weights / weights.sum())[..., None]
        mean = (share * u).sum((0, 1))
        self.mean.copy_(mean)
        self.std.copy_((share * (u - mean) ** 2).sum((0, 1)).sqrt().clamp_min(1e-6))
        d = u.shape[-1]
        for layer in range(len(self.rotations)):
            draw = torch.randn(d, d, generator=generator, dtype=torch.float64)
            self.rotations[layer] = torch.linalg.qr(draw)[0]
        for outcome, weight in enumerate(weights):
            self._fit_outcome(outcome, (u[outcome] - self.mean) / self.std, weight)

    def align(self, z: Tensor, true: Tensor, said: Tensor) -> None:
        """Shift each outcome's z so that alloys of every true outcome have the same mean.

        Heads err, and alloys with a wrong outcome lie where few of that outcome do; from there a
        line could read the true one. Outcomes that no alloy has stay as they are.

        Args:
            z: of alloys at the outcomes that are said of them, shape (n, d).
            true: outcomes, shape (n,).
            said: what heads say that have not seen these alloys, shape (n,).
        """
        z, count = z.double(), len(self.knots)
        present = true.unique()
        means = torch.stack([z[true == one].mean(0) for one in present])
        share = torch.stack(
            [torch.bincount(said[true == one], minlength=count).double() for one in present]
        )
        share = share / share.sum(1, keepdim=True)
        # The least shifts that do it, where heads know enough for shifts to do anything.
        shifts = torch.linalg.pinv(share, rtol=_LEAST_KNOWN) @ (means.mean(0) - means)
        self.middle -= torch.einsum("oij,oj->oi", self.spread, shifts)

    def _fit_outcome(self, outcome: int, x: Tensor, weight: Tensor) -> None:
        rows = weight > _LEAST_WEIGHT
        if rows.sum() < len(self.targets):  # too few alloys to say more than mean and spread
            self.knots[outcome] = self.targets.expand_as(self.knots[outcome])
            self.middle[outcome] = 0
            self.spread[outcome] = torch.eye(x.shape[1], dtype=x.dtype)
            return
        x, weight = x[rows], weight[rows]
        for layer, rotation in enumerate(self.rotations):
            x = x @ rotation
            for axis in range(x.shape[1]):
                self.knots[outcome, layer, axis] = self._quantiles(x[:, axis], weight)
            knots = self.knots[outcome, layer]
            x = _piecewise(x, knots, self.targets.expand_as(knots)) @ rotation.T
        self.middle[outcome] = middle = weight @ x / weight.sum()
        covariance = (x - middle).T @ (weight[:, None] * (x - middle)) / weight.sum()
        least = _LEAST_VARIANCE * torch.eye(x.shape[1], dtype=x.dtype)
        self.spread[outcome] = torch.linalg.cholesky(covariance + least)

    def _quantiles(self, values: Tensor, weight: Tensor) -> Tensor:
        order = values.argsort()
        share = (weight[order].cumsum(0) - weight[order] / 2) / weight.sum()
        levels = torch.special.ndtr(self.targets)
        knots = torch.from_numpy(np.interp(levels, share, values[order]))
        gaps = (knots[1:] - knots[:-1]).clamp_min(_LEAST_GAP)
        return torch.cat([knots[:1], knots[:1] + gaps.cumsum(0)])

    def to_z(self, u: Tensor, outcome: Tensor) -> Tensor:
        """Return z = T_φ⁻¹(u), shape (n, d), of u (n, d) with outcomes (n,).

        In double precision, as z has to stay: where alloys are sparse T_φ is steep, and rounding
        z to single precision can move u by a third of p(u)'s width.
        """
        return self._by_outcome(u, outcome, self._forwards)

    def to_u(self, z: Tensor, outcome: Tensor) -> Tensor:
        """Return u = T_φ(z), shape (n, d), of z (n, d) with outcomes (n,), in double precision."""
        return self._by_outcome(z, outcome, self._backwards)

    def _forwards(self, u: Tensor, outcome: int) -> Tensor:
        x = (u - self.mean) / self.std
        for rotation, layer in zip(self.rotations, self.knots[outcome], strict=True):
            x = _piecewise(x @ rotation, layer, self.targets.expand_as(layer)) @ rotation.T
        centred = (x - self.middle[outcome]).T
        return torch.linalg.solve_triangular(self.spread[outcome], centred, upper=False).T

    def _backwards(self, z: Tensor, outcome: int) -> Tensor:
        x = z @ self.spread[outcome].T + self.middle[outcome]
        knots = self.knots[outcome].flip(0)
        for rotation, layer in zip(self.rotations.flip(0), knots, strict=True):
            x = _piecewise(x @ rotation, self.targets.expand_as(layer), layer) @ rotation.T
        return x * self.std + self.mean

    def _by_outcome(
        self, points: Tensor, outcome: Tensor, step: Callable[[Tensor, int], Tensor]
    ) -> Tensor:
        points = mapped = points.double()
        for index in range(len(self.knots)):
            rows = (outcome == index)[:, None]
            mapped = torch.where(rows, step(points, index), mapped)
        return mapped


def _piecewise(x: Tensor, knots: Tensor, targets: Tensor) -> Tensor:
    """Map each axis of x (n, d) along straight lines from knots to targets, (d, k) each.

    Beyond the outermost knots the slope is one.
    """
    x = x.T.contiguous()  # (d, n)
    right = torch.searchsorted(knots.contiguous(), x).clamp(1, knots.shape[1] - 1)
    x0, x1 = knots.gather(1, right - 1), knots.gather(1, right)
    y0, y1 = targets.gather(1, right - 1), targets.gather(1, right)
    y = y0 + (x - x0) * (y1 - y0) / (x1 - x0)
    y = torch.where(x < knots[:, :1], targets[:, :1] + x - knots[:, :1], y)
    return torch.where(x > knots[:, -1:], targets[:, -1:] + x - knots[:, -1:], y).T
