"""Features of a decoration that no symmetry of the lattice changes, for hard and soft sites."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from alloop.models.lattice.parent import ParentLattice


def neighbour_averages(parents: Sequence[ParentLattice]) -> Tensor:
    """Return matrices that average over each shell, shape (lattices, shells, sites, sites).

    Multiplying site features by them is one step of message passing. They are dense: the
    supercells are small, and a matrix product is then faster than gathering neighbours.
    """
    matrices = np.zeros((len(parents), len(parents[0].shells)) + (parents[0].n_sites,) * 2)
    for of_lattice, parent in zip(matrices, parents, strict=True):
        for matrix, neighbours in zip(of_lattice, parent.shells, strict=True):
            sites = np.arange(parent.n_sites)[:, None]
            np.add.at(matrix, (sites, neighbours), 1.0 / neighbours.shape[1])
    return torch.from_numpy(matrices)


def n_correlations(n_elements: int, n_shells: int) -> int:
    """Return the number of features that ``correlations`` gives."""
    return n_elements - 1 + n_shells * n_elements * (n_elements - 1) // 2


def correlations(probabilities: Tensor, averages: Tensor, lattice_weights: Tensor) -> Tensor:
    """Return composition and short-range order, differentiable in both soft arguments.

    First the fractions of all elements but the last. Then, for each shell and pair of unlike
    elements a < b, the covariance of neighbours' occupations P_ab − c_a c_b, which is
    −c_a c_b times the Warren–Cowley parameter (J. M. Cowley, Phys. Rev. 77, 669 (1950)). Like
    pairs follow from these by the sum rule.

    Args:
        probabilities: of elements on sites, shape (..., sites, elements); one-hot for a real
            decoration.
        averages: from ``neighbour_averages``, shape (lattices, shells, sites, sites).
        lattice_weights: how much each lattice's neighbours count, shape (..., lattices).

    Returns:
        Shape (..., ``n_correlations``).
    """
    n_sites, n_elements = probabilities.shape[-2:]
    first, second = torch.triu_indices(n_elements, n_elements, offset=1)
    fractions = probabilities.mean(dim=-2)  # (..., E)
    # One matrix product for all lattices, shells and elements: (..., E, N) by (N, L S N).
    around = probabilities.mT @ averages.flatten(0, -2).mT
    around = around.unflatten(-1, averages.shape[:-1])  # (..., E, L, S, N)
    around = (around * lattice_weights[..., None, :, None, None]).sum(dim=-3)  # (..., E, S, N)
    pairs = torch.einsum("...na,...bsn->...sab", probabilities, around) / n_sites
    unlike = (
        pairs[..., first, second] - (fractions[..., first] * fractions[..., second])[..., None, :]
    )  # (..., S, E (E − 1) / 2)
    return torch.cat([fractions[..., :-1], unlike.flatten(-2)], dim=-1)
