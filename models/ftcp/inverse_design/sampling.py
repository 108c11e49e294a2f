"""Sampling of the latent points to decode (paper, "Design from trained model" and section S2.5)."""

import math

import torch
from torch import Tensor

LOCAL_SCALES = (0.3, 3.0)
"""Range of the scale of local perturbations in the paper: known crystals again at one end, nonsense
at the other."""


def local_perturbations(z: Tensor, *, copies: int, scale: float, seed: int) -> Tensor:
    """Return ``copies`` points around each of z, shape (n, d): unit Gaussian noise times scale.

    The strategy the paper uses throughout. Shape (copies × n, d); all first copies come first.
    """
    noise = torch.randn(copies, *z.shape, generator=_generator(seed), dtype=z.dtype)
    return (z + scale * noise).flatten(0, 1)


def slerp(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Return points on the great arc from start to end, shape (..., d).

    Spherical linear interpolation: lengths in between stay typical of the prior. Parallel
    points, which span no arc, are interpolated linearly.

    Args:
        start: shape (..., d).
        end: shape (..., d).
        share: 0 at the start, 1 at the end, shape (...).
    """
    share = share[..., None]
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=-1)[..., None]
    angle = torch.arccos(cosine.clamp(-1.0, 1.0))
    is_arc = (angle > 1e-4) & (angle < math.pi - 1e-4)
    safe = torch.where(is_arc, angle, 1.0)
    along = (torch.sin((1 - share) * safe) * start + torch.sin(share * safe) * end) / safe.sin()
    return torch.where(is_arc, along, (1 - share) * start + share * end)


def slerp_between(z: Tensor, *, n: int, seed: int) -> Tensor:
    """Return n points on arcs between random pairs of z, shape (m, d), m ≥ 2; shape (n, d)."""
    generator = _generator(seed)
    first = torch.randint(len(z), (n,), generator=generator)
    other = (first + torch.randint(1, len(z), (n,), generator=generator)) % len(z)
    return slerp(z[first], z[other], torch.rand(n, generator=generator, dtype=z.dtype))


def global_perturbations(z: Tensor, *, n: int, scale: float, seed: int) -> Tensor:
    """Return n points about the middle of z, shape (m, d): its mean, plus Gaussian noise with
    its own standard deviation in every dimension, times scale. Shape (n, d).
    """
    noise = torch.randn(n, z.shape[1], generator=_generator(seed), dtype=z.dtype)
    spread = z.std(dim=0) if len(z) > 1 else torch.ones(z.shape[1], dtype=z.dtype)
    return z.mean(dim=0) + scale * spread * noise


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
