"""Pairs and triangles of neighbouring sites, and which elements they join."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Structure

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]

N_SHELLS = 4
"""Number of neighbour shells whose pairs count: in fcc up to √2 lattice parameters."""
TRIANGLE_WEIGHT = 0.5
_RADIUS = 2.3
"""Radius that holds these shells in fcc, bcc and hcp, in cube roots of the volume per atom."""
_TOLERANCE = 1e-3
"""Relative tolerance of equal distances."""


@dataclass(frozen=True)
class Clusters:
    """All clusters of one kind in a cell."""

    name: str
    members: IntArray
    """Sites of each cluster in every order that it has, shape (clusters, size)."""
    weight: float
    """Weight of this kind's deviations from the random alloy's."""

    def shares(self, species: IntArray, n_species: int) -> FloatArray:
        """Return the share of clusters with each sequence of species, shape (n_species ** size,).

        Args:
            species: number of the species on each site.
            n_species: how many there are.
        """
        codes = species[self.members[:, 0]]
        for column in self.members.T[1:]:
            codes = codes * n_species + species[column]
        size = n_species ** self.members.shape[1]
        return np.bincount(codes, minlength=size) / len(codes)

    def random_shares(self, fractions: FloatArray) -> FloatArray:
        """Return the same of the infinite random alloy with these fractions."""
        shares = np.ones(1)
        for _ in range(self.members.shape[1]):
            shares = np.multiply.outer(shares, fractions).ravel()
        return shares


def clusters_of(structure: Structure) -> tuple[Clusters, ...]:
    """Return the pairs of the first ``N_SHELLS`` shells of a lattice, shell s with the weight 1/s,
    and the most compact triangles with two nearest-neighbour edges."""
    radius = _RADIUS * float(np.cbrt(structure.volume / len(structure)))
    centres, neighbours, images, distances = structure.get_neighbor_list(radius)
    shell_radii = _distinct(distances)[:N_SHELLS]
    found = []
    for shell, length in enumerate(shell_radii, start=1):
        rows = np.abs(distances / length - 1) < _TOLERANCE
        pairs = np.column_stack([centres[rows], neighbours[rows]])
        found.append(Clusters(f"pairs of shell {shell}", pairs, 1 / shell))
    near = np.abs(distances / shell_radii[0] - 1) < _TOLERANCE
    steps = structure.lattice.get_cartesian_coords(
        structure.frac_coords[neighbours[near]] + images[near]
    ) - structure.lattice.get_cartesian_coords(structure.frac_coords[centres[near]])
    triangles = _triangles(centres[near], neighbours[near], steps)
    return (*found, Clusters("triangles", triangles, TRIANGLE_WEIGHT))


def _distinct(distances: FloatArray) -> list[float]:
    found: list[float] = []
    for distance in np.sort(distances).tolist():
        if not found or distance > found[-1] * (1 + _TOLERANCE):
            found.append(distance)
    return found


def _triangles(centres: IntArray, neighbours: IntArray, steps: FloatArray) -> IntArray:
    """Return a site and two of its nearest neighbours that are as near to each other as any two
    are, shape (triangles, 3)."""
    order = np.argsort(centres, kind="stable").reshape(len(np.unique(centres)), -1)  # (n, z)
    apart = np.linalg.norm(steps[order][:, :, None] - steps[order][:, None], axis=-1)  # (n, z, z)
    shortest = apart[apart > _TOLERANCE].min()
    site, one, other = np.nonzero(np.abs(apart / shortest - 1) < _TOLERANCE)
    ends = neighbours[order]
    return np.column_stack([centres[order][site, 0], ends[site, one], ends[site, other]])


def short_range_order(
    clusters: Sequence[Clusters], species: IntArray, n_species: int
) -> dict[str, float]:
    """Return the largest deviation of a share from the random alloy's, by kind of cluster."""
    fractions = np.bincount(species, minlength=n_species) / len(species)
    return {
        each.name: float(
            np.abs(each.shares(species, n_species) - each.random_shares(fractions)).max()
        )
        for each in clusters
    }
