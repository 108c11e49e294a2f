"""Places to denoise from that are already nearly right: the sites of the predicted phase's parent.

CDVAE begins with atoms anywhere, and most of its decoder calls are spent on their freezing into a
lattice, whose name P-CDVAE has read from z at the outset. An informed prior in place of the
uninformed one is what flow-matching generators of crystals do as well (FlowMM, Miller et al. 2024;
OMatG, Höllmer et al. 2025). From the parent's sites only the relaxation is left to find, which
needs no noise larger than ``model.largest_noise``, some tenths of an Å.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from alloop.models.lattice.parent import ParentLattice
from alloop.models.pcdvae.networks.crystal import FloatArray, IntArray, reduced_cell


def parent_positions(
    phases: Sequence[str], phase: IntArray, cells: FloatArray, n_atoms: IntArray
) -> FloatArray:
    """Return the sites of each crystal's parent, stretched onto its cell, shape (n, 3), Å.

    Args:
        phases: names of the parents.
        phase: index of each crystal's parent, shape (b,).
        cells: decoded lattice vectors as rows, Å, shape (b, 3, 3).
        n_atoms: of each crystal, shape (b,).

    Raises:
        MaterialError: if a number of atoms fills no supercell of a parent.
    """
    return np.concatenate(
        [
            sites_in_reduced_cell(phases[index], int(n)) @ cell
            for index, cell, n in zip(phase, cells, n_atoms, strict=True)
        ]
    )


@lru_cache(maxsize=64)
def sites_in_reduced_cell(phase: str, n_atoms: int) -> FloatArray:
    """Return the fractional coordinates of a parent's sites in its Niggli-reduced cell, in which
    crystals are decoded, shape (n_atoms, 3).

    Raises:
        MaterialError: if so many atoms fill no supercell of the parent.
    """
    parent = ParentLattice.of_size(phase, n_atoms)  # type: ignore[arg-type]
    vectors = parent.vectors(12.0)  # Å³ per site: any size has the same coordinates
    return parent.sites @ vectors @ np.linalg.inv(reduced_cell(vectors))
