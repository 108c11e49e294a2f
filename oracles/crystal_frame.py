"""The symmetric crystal that a relaxed cell stands for, and how it is turned.

A random alloy has no symmetry of its own; what is meant by its C11 belongs to the lattice that
its atoms decorate. So where the sites are the points of a lattice (fcc, bcc) it is that lattice's
class and axes that count, whatever sits on the sites and however the atoms relaxed a little off
them. An ordered compound, told by its small primitive cell, has its own.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure

from alloop.lattices import SPACE_GROUPS, LatticeName

Array = NDArray[np.float64]

NEIGHBOUR_CUTOFF = 1.43
"""Cutoff radius of the nearest neighbours, in cube roots of the volume per atom. Between the
first and second neighbours of fcc (1.122, 1.587) and between the second and third of bcc
(1.260, 1.782)."""
PARENT_TOLERANCE = 0.05
"""Distortion tolerance of a parent lattice, Å in a primitive cell. A lattice distorted by less than
2 % counts as undistorted: alloys' 54-atom cells relax by a few tenths of a percent, L1₀ CuAu is
tetragonal by 7 %."""
COMPOUND_TOLERANCE = 0.01
"""Distortion tolerance of compounds, Å: relaxed positions are good to far less."""
MAX_COMPOUND_ATOMS = 8
"""Largest number of atoms in the primitive cell of an ordered compound on a parent lattice (D0₂₃
has 8)."""

_LATTICE_OF: dict[str, LatticeName] = {group: name for name, group in SPACE_GROUPS.items()}


@dataclass(frozen=True)
class CrystalFrame:
    """A crystal in its standard orientation, and the rotation into it."""

    crystal: Structure
    """Ideal, conventional crystal in spglib's orientation: cubic axes along x, y and z. For a
    parent lattice every site is hydrogen."""
    rotation: Array
    """Rotation from the axes of the cell to those of the crystal: x → R x, orthogonal, shape (3,
    3)."""
    international: str
    """Short symbol of the space group: Fm-3m for alloys on fcc."""
    n_primitive: int
    """Number of atoms in the primitive cell."""

    @property
    def parent(self) -> LatticeName | None:
        """The lattice's name where it is one with one atom per primitive cell."""
        return _LATTICE_OF.get(self.international) if self.n_primitive == 1 else None


def crystal_frame(structure: Structure) -> CrystalFrame:
    """Return the symmetric crystal that a structure, relaxed or not, stands for."""
    own = _own_frame(structure)
    if own.n_primitive <= MAX_COMPOUND_ATOMS:
        return own
    return parent_frame(structure) or own


def parent_frame(structure: Structure) -> CrystalFrame | None:
    """Return the lattice whose points are the structure's sites, if they are one's."""
    lattice = _mean_lattice(structure)
    if lattice is None:
        return None
    cell = lattice.tolist(), [[0.0, 0.0, 0.0]], [1]
    found = spglib.get_symmetry_dataset(cell, symprec=PARENT_TOLERANCE)
    return None if found is None else _frame(found, lattice)


def _mean_lattice(structure: Structure) -> Array | None:
    """Return primitive vectors of the lattice that the sites form on average, shape (3, 3).

    In a lattice every site sees its neighbours at the same vectors. Averaged over all sites of
    a periodic cell, the shifts of the atoms cancel exactly.
    """
    n, volume = len(structure), structure.volume / len(structure)
    centres, neighbours, images, _ = structure.get_neighbor_list(
        NEIGHBOUR_CUTOFF * float(np.cbrt(volume))
    )
    coords = structure.cart_coords
    steps = coords[neighbours] + images @ structure.lattice.matrix - coords[centres]
    if len(steps) % n or (np.bincount(centres, minlength=n) != len(steps) // n).any():
        return None
    seeds = steps[centres == 0]
    nearest = np.argmin(np.linalg.norm(steps[:, None] - seeds, axis=-1), axis=1)
    counts = np.zeros((n, len(seeds)))
    np.add.at(counts, (centres, nearest), 1)
    if (counts != 1).any():
        return None
    means = np.array([steps[nearest == k].mean(axis=0) for k in range(len(seeds))])
    triples = (means[list(three)] for three in itertools.combinations(range(len(means)), 3))
    return next(
        (three for three in triples if np.isclose(abs(np.linalg.det(three)), volume, rtol=1e-6)),
        None,
    )


def _own_frame(structure: Structure) -> CrystalFrame:
    numbers = [site.specie.Z for site in structure]
    cell = structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), numbers
    found = spglib.get_symmetry_dataset(cell, symprec=COMPOUND_TOLERANCE)
    if found is None:
        return CrystalFrame(structure, np.eye(3), "P1", len(structure))
    return _frame(found, structure.lattice.matrix)


def _frame(found: spglib.SpglibDataset, lattice: Array) -> CrystalFrame:
    species = [Element.from_Z(number) for number in found.std_types.tolist()]
    crystal = Structure(Lattice(found.std_lattice), species, found.std_positions)
    # Conventional vectors as they lie in the cell: (a b c) P⁻¹ (spglib's convention).
    there = np.linalg.inv(found.transformation_matrix).T @ lattice
    n_primitive = len(set(found.mapping_to_primitive.tolist()))
    rotation = _rotation(there, found.std_lattice)
    return CrystalFrame(crystal, rotation, found.international, n_primitive)


def _rotation(start: Array, end: Array) -> Array:
    """Return the rotation closest to the map from one lattice (rows) to another."""
    left, _, right = np.linalg.svd(np.linalg.solve(start, end).T)
    return np.asarray(left @ right)
