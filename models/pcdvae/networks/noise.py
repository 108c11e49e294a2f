"""Noise on positions and elements, its levels, and the way back."""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from alloop.models.pcdvae.networks.crystal import FloatArray, IntArray

N_LEVELS = 50
MAX_SIGMA, MIN_SIGMA = 10.0, 0.01
"""Largest and smallest standard deviation of the noise on positions, Å."""
MAX_ELEMENT_WEIGHT, MIN_ELEMENT_WEIGHT = 5.0, 0.01
"""Largest and smallest weight of the predicted composition against the true element, which has
1."""
# All of CDVAE and AlloGen.

_IMAGES = np.array(list(itertools.product((-1, 0, 1), repeat=3)), dtype=np.float64)


def levels(largest: float = MAX_SIGMA) -> FloatArray:
    """Return the standard deviations of positions, Å, from the largest down, shape (50,)."""
    return np.geomspace(largest, MIN_SIGMA, N_LEVELS)


def element_levels() -> FloatArray:
    """Return the weights of the predicted composition, largest first, shape (50,)."""
    return np.geomspace(MAX_ELEMENT_WEIGHT, MIN_ELEMENT_WEIGHT, N_LEVELS)


@dataclass(frozen=True)
class NoiseDraw:
    """Noise drawn for each crystal of a batch."""

    sigma: FloatArray
    """Standard deviation of the positions' noise of each crystal, Å, shape (b,)."""
    element_sigma: FloatArray
    """Largest and smallest weight of the predicted composition against the true element, which has
    1."""
    displacement: FloatArray
    """Displacement of each atom, Å, shape (n, 3)."""


def draw(n_atoms: IntArray, rng: np.random.Generator, *, largest: float = MAX_SIGMA) -> NoiseDraw:
    """Draw a level of each kind for every crystal, and its displacements.

    Args:
        n_atoms: of each crystal.
        rng: of the draws.
        largest: standard deviation of the positions' largest level, Å.
    """
    sigma = rng.choice(levels(largest), size=len(n_atoms))
    unit = rng.standard_normal((int(n_atoms.sum()), 3))
    return NoiseDraw(
        sigma=sigma,
        element_sigma=rng.choice(element_levels(), size=len(n_atoms)),
        displacement=unit * np.repeat(sigma, n_atoms)[:, None],
    )


def nearest_image(vectors: FloatArray, cells: FloatArray) -> FloatArray:
    """Return the shortest of each vector's images.

    Args:
        vectors: Å, shape (n, 3).
        cells: of each vector's crystal, reduced, rows in Å, shape (n, 3, 3).
    """
    frac = np.einsum("ni,nij->nj", vectors, np.linalg.inv(cells))
    frac -= np.round(frac)
    # Rounding is not enough in a cell that is not rectangular; for a reduced one, its
    # neighbours are.
    images = np.einsum("nmi,nij->nmj", frac[:, None] + _IMAGES, cells)
    shortest = np.argmin((images**2).sum(axis=2), axis=1)
    return images[np.arange(len(vectors)), shortest]


def noisy_elements(
    species: Tensor, composition: Tensor, sigma: Tensor, generator: torch.Generator
) -> Tensor:
    """Draw elements from the true one mixed with the composition (CDVAE, section 4.3).

    Args:
        species: true elements, shape (n,).
        composition: probabilities of each atom's crystal, shape (n, n_elements).
        sigma: weight of the composition, of each atom, shape (n,).
        generator: on the CPU.
    """
    weights = torch.nn.functional.one_hot(species, composition.shape[1]) + (
        sigma[:, None] * composition
    )
    drawn = torch.multinomial(weights.cpu(), 1, generator=generator)
    return drawn.squeeze(1).to(species.device)
