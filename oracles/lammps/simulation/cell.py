"""Conversion between a pymatgen structure and the box that LAMMPS wants.

LAMMPS takes cells in restricted triangular form: a along x, b in the xy plane. Any cell can be
rotated (or mirrored, which changes no energy) into that form. Positions stay Cartesian and in
the input's order throughout, so that nothing is lost on the way back.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

Array = NDArray[np.float64]

RIGHT_ANGLE = 1e-6
"""Largest cosine of a right angle: CIF files round angles to 1e-8 or so."""


@dataclass(frozen=True)
class LammpsCell:
    """Structure in LAMMPS's frame. Vectors are rows, lengths in Å."""

    structure: Structure
    """Structure as it was given."""
    lattice: Array
    """The structure's lattice vectors in LAMMPS's frame, lower triangular, shape (3, 3)."""
    rotation: Array
    """Orthogonal matrix: ``lattice @ rotation`` are the vectors as they came, shape (3, 3)."""
    box: Array
    """Vectors of the same periodic lattice with the smallest tilts, shape (3, 3)."""
    positions: Array
    """Cartesian positions in LAMMPS's frame, within the box, shape (n, 3)."""
    shifts: Array
    """Lattice vectors that were taken off to bring the atoms into the box, shape (n, 3).
    LAMMPS itself brings atoms back over one edge only, and loses those farther away."""

    @classmethod
    def of(cls, structure: Structure) -> Self:
        """Rotate a structure into LAMMPS's frame."""
        # M = L Q with L lower triangular is the transpose of the usual QR decomposition.
        q, r = np.linalg.qr(structure.lattice.matrix.T)
        signs = np.where(np.diag(r) < 0, -1.0, 1.0)
        lattice, rotation = (r * signs[:, None]).T, (q * signs).T
        box = _least_tilted(lattice)
        positions = structure.frac_coords @ lattice
        shifts = np.floor(np.linalg.solve(box.T, positions.T).T) @ box
        return cls(structure, lattice, rotation, box, positions - shifts, shifts)

    @property
    def is_orthogonal(self) -> bool:
        """Whether all angles of the box are right angles."""
        lengths = np.linalg.norm(self.box, axis=1)
        cosines = (self.box @ self.box.T) / np.outer(lengths, lengths)
        return bool(np.abs(cosines - np.diag(np.diag(cosines))).max() < RIGHT_ANGLE)

    def deformed(self, gradient: Array, positions: Array) -> Structure:
        """Return the structure after a deformation, turned back to where it came from.

        Args:
            gradient: deformation gradient F in LAMMPS's frame (x → F x), shape (3, 3).
            positions: the atoms' Cartesian positions in the deformed cell, shape (n, 3).
        """
        lattice = self.lattice @ gradient.T
        return Structure(
            Lattice(lattice @ self.rotation),
            self.structure.species,
            np.linalg.solve(lattice.T, (positions + self.shifts @ gradient.T).T).T,
        )


def _least_tilted(lattice: Array) -> Array:
    """Return vectors of the same lattice whose tilts are at most half an edge.

    Adding whole multiples of one vector to another changes the cell's description, not the
    crystal; LAMMPS needs many more ghost atoms in a strongly tilted box.
    """
    a, b, c = lattice
    b = b - np.round(b[0] / a[0]) * a
    c = c - np.round(c[1] / b[1]) * b
    c = c - np.round(c[0] / a[0]) * a
    return np.array([a, b, c])
