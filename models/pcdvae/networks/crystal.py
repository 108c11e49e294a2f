"""Crystals as arrays, and what cannot be one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Composition, Element, Lattice, Structure
from vesin import NeighborList

from alloop.errors import MaterialError
from alloop.materials import Material, formula_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MIN_CELL_HEIGHT = 1.0
"""Least height of a reduced cell, Å. The shortest lattice vectors of known crystals are above 2 Å,
and a cutoff of 7 Å would reach seven cells away."""

MIN_DISTANCE = 0.5
"""Least distance between atoms of a valid structure, Å (CDVAE, section 5)."""

COINCIDENCE_DISTANCE = 0.01
"""Distance in Å below which two atoms have no direction to each other that numbers could hold."""


@dataclass(frozen=True)
class ReducedCrystal:
    """Ordered atoms in a Niggli-reduced cell."""

    numbers: IntArray
    """Atomic numbers, shape (n,)."""
    positions: FloatArray
    """Cartesian positions, Å, shape (n, 3); not wrapped into the cell."""
    cell: FloatArray
    """Lattice vectors as rows, Å, shape (3, 3)."""

    @classmethod
    def of(cls, material: Material, *, closest: float = MIN_DISTANCE) -> Self:
        """Read a structure of any choice of cell vectors.

        Args:
            material: an ordered structure of at least two atoms.
            closest: Å; atoms nearer than this overlap.

        Raises:
            MaterialError: for a composition, partly occupied sites, fewer than two atoms,
                overlapping atoms, or a cell that is too flat.
        """
        if isinstance(material, Composition):
            raise MaterialError(
                "a composition has no atoms to place",
                where=formula_of(material),
                remedy="Give structures, or use a model of compositions.",
            )
        where = material.composition.formula
        if not material.is_ordered:
            raise MaterialError(
                "the structure has partly occupied sites", where=where, remedy="Order it first."
            )
        if len(material) < 2:
            raise MaterialError(
                "a crystal needs at least two atoms per cell",
                where=where,
                remedy="Give a supercell of at least two atoms.",
            )
        cell = reduced_cell(np.array(material.lattice.matrix), where)
        symbols = [getattr(site.specie, "element", site.specie).symbol for site in material]
        crystal = cls(
            np.array([Element(symbol).Z for symbol in symbols], dtype=np.int64),
            np.array(material.cart_coords, dtype=np.float64),
            cell,
        )
        crystal._require_apart(closest, where)
        return crystal

    def __len__(self) -> int:
        return len(self.numbers)

    def structure(self, *, wrapped: bool = False) -> Structure:
        """Return the pymatgen structure in this cell, its atoms moved into the cell if wrapped."""
        return Structure(
            Lattice(self.cell),
            [Element.from_Z(int(number)) for number in self.numbers],
            self.positions,
            coords_are_cartesian=True,
            to_unit_cell=wrapped,
        )

    def _require_apart(self, closest: float, where: str) -> None:
        if not np.isfinite(self.positions).all():
            raise MaterialError("a coordinate is not a finite number", where=where)
        search = NeighborList(cutoff=closest, full_list=False, n_threads=1)
        first, second, distance = search.compute(
            points=self.positions, box=self.cell, periodic=True, quantities="ijd"
        )
        if len(distance):
            pair = int(distance.argmin())
            raise MaterialError(
                f"atoms {first[pair]} and {second[pair]} overlap: they are "
                f"{distance[pair]:.3f} Å apart, less than {closest:g} Å",
                where=where,
            )


def representation_problem(material: Material) -> str | None:
    """Return why a material cannot be read as a crystal; None if it can."""
    try:
        ReducedCrystal.of(material)
    except MaterialError as error:
        return str(error)
    return None


def reduced_cell(cell: FloatArray, where: str = "") -> FloatArray:
    """Return the Niggli-reduced vectors of the same lattice, unrotated, rows in Å.

    Raises:
        MaterialError: if the vectors span no volume, or the reduced cell is too flat.
    """
    volume = abs(float(np.linalg.det(cell)))
    reduced = spglib.niggli_reduce(cell) if np.isfinite(volume) and volume > 0 else None
    if reduced is None:
        raise MaterialError(f"the cell has a volume of {volume:.3g} Å³", where=where)
    reduced = np.array(reduced, dtype=np.float64)
    height = float(heights(reduced).min())
    if height < MIN_CELL_HEIGHT:
        raise MaterialError(
            f"the cell is too flat: its height of {height:.3g} Å is less than "
            f"{MIN_CELL_HEIGHT:g} Å",
            where=where,
        )
    return reduced


def heights(cells: FloatArray) -> FloatArray:
    """Return the distances between a cell's opposite faces, shape (..., 3, 3) to (..., 3), Å."""
    return 1 / np.linalg.norm(np.linalg.inv(cells), axis=-2)


def read_crystals(
    materials: Sequence[Material], *, closest: float = MIN_DISTANCE
) -> list[ReducedCrystal]:
    """Read structures, in their order.

    Raises:
        MaterialError: naming the first that cannot be read, by its row.
    """
    crystals = []
    for row, material in enumerate(materials):
        try:
            crystals.append(ReducedCrystal.of(material, closest=closest))
        except MaterialError as error:
            where = f"material {row} ({error.where})"
            raise MaterialError(error.what, where=where, remedy=error.remedy) from error
    return crystals
