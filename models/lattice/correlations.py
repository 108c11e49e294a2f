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
            is_one = neighbours >= 0
            sites = np.broadcast_to(np.arange(parent.n_sites)[:, None], neighbours.shape)
            weights = np.broadcast_to(1.0 / is_one.sum(axis=1)[:, None], neighbours.shape)
            np.add.at(matrix, (sites[is_one], neighbours[is_one]), weights[is_one])
    return torch.from_numpy(matrices)


def n_correlations(n_elements: int, n_shells: int, n_sublattices: int = 1) -> int:
    """Return the number of features that ``correlations`` gives."""
    return n_sublattices * (n_elements - 1 + n_shells * n_elements * (n_elements - 1) // 2)


def correlations(
    probabilities: Tensor,
    averages: Tensor,
    lattice_weights: Tensor,
    sublattices: Sequence[slice] = (slice(None),),
) -> Tensor:
    """Return composition and short-range order, differentiable in both soft arguments.

    First the fractions of all elements but the last. Then, for each shell and pair of unlike
    elements a < b, the covariance of neighbours' occupations P_ab − c_a c_b, which is
    −c_a c_b times the Warren–Cowley parameter (J. M. Cowley, Phys. Rev. 77, 669 (1950)). Like
    pairs follow from these by the sum rule. With several sublattices, first the fractions on each,
    then the pairs that begin on each, c_b being the composition around its sites.

    Args:
        probabilities: of elements on sites, shape (..., sites, elements); one-hot for a real
            decoration.
        averages: from ``neighbour_averages``, shape (lattices, shells, sites, sites).
        lattice_weights: how much each lattice's neighbours count, shape (..., lattices).
        sublattices: sites of each.

    Returns:
        Shape (..., ``n_correlations``).
    """
    n_elements = probabilities.shape[-1]
    first, second = torch.triu_indices(n_elements, n_elements, offset=1)
    # One matrix product for all lattices, shells and elements: (..., E, N) by (N, L S N).
    around = probabilities.mT @ averages.flatten(0, -2).mT
    around = around.unflatten(-1, averages.shape[:-1])  # (..., E, L, S, N)
    around = (around * lattice_weights[..., None, :, None, None]).sum(dim=-3)  # (..., E, S, N)
    fractions, orders = [], []
    for sites in sublattices:
        here, beside = probabilities[..., sites, :], around[..., sites]
        own = here.mean(dim=-2)  # (..., E)
        # Of a single sublattice the neighbours are the sites themselves.
        expected = own[..., None, :] if len(sublattices) == 1 else beside.mean(dim=-1).mT
        pairs = torch.einsum("...na,...bsn->...sab", here, beside) / here.shape[-2]
        unlike = pairs[..., first, second] - own[..., None, first] * expected[..., second]
        fractions.append(own[..., :-1])
        orders.append(unlike.flatten(-2))
    return torch.cat([*fractions, *orders], dim=-1)
