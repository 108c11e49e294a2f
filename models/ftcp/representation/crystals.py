"""Crystals as arrays: what the FTCP matrix is built from, and what is read out of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from alloop.errors import MaterialError
from alloop.materials import Material
from alloop.models.ftcp.representation.elements import N_ELEMENTS, property_table

EMPTY = -1
"""Marker of an element column or a site that is not there; element 0 is hydrogen."""

MIN_COLUMNS = 3
"""Least number of columns: lattice and coordinates need three, however few elements there are."""


SHORTEST_EDGE = 1.0
"""Shortest cell edge, Å; no crystal's cell has a shorter one."""


@dataclass(frozen=True)
class Size:
    """Capacity of a representation: the most elements and sites a crystal may have."""

    elements: int
    """Largest number of different elements in one crystal (N_elements in the paper)."""
    sites: int
    """Largest number of sites in one cell (N_sites in the paper)."""

    @property
    def columns(self) -> int:
        """Number of columns of the real-space part, max(N_elements, 3)."""
        return max(self.elements, MIN_COLUMNS)

    @classmethod
    def of(cls, materials: Sequence[Material]) -> Self:
        """Return the smallest size that holds all of them.

        Raises:
            MaterialError: if one is no ordered structure of known elements, or there are none.
        """
        if not materials:
            raise MaterialError("no crystals to take the size from", remedy="Give some.")
        structures = [_structure(material) for material in materials]
        return cls(
            max(len(set(structure.atomic_numbers)) for structure in structures),
            max(len(structure) for structure in structures),
        )

    def __str__(self) -> str:
        return f"{self.elements} elements and {self.sites} sites"


@dataclass(frozen=True)
class CrystalArrays:
    """n crystals with room for W element columns and S sites.

    Element columns are in the order in which the elements appear along the sites. Coordinates
    are as given, not wrapped into the cell: a site just below 0 stays close to those at 0.
    """

    elements: np.ndarray
    """Atomic number less one, shape (n, W), int; ``EMPTY`` where there is no element."""
    lattices: np.ndarray
    """Lattice parameters: a, b, c in Å and α, β, γ in degrees, shape (n, 6)."""
    coords: np.ndarray
    """Fractional coordinates, shape (n, S, 3); zero at empty sites."""
    occupants: np.ndarray
    """Element column of each site, shape (n, S), int; ``EMPTY`` where there is no site."""

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, rows: slice | np.ndarray) -> "CrystalArrays":
        return CrystalArrays(
            self.elements[rows], self.lattices[rows], self.coords[rows], self.occupants[rows]
        )

    @property
    def site_elements(self) -> np.ndarray:
        """Atomic number less one of every site, shape (n, S); ``EMPTY`` where there is none."""
        of_sites = np.take_along_axis(self.elements, np.maximum(self.occupants, 0), axis=1)
        return np.where(self.occupants == EMPTY, EMPTY, of_sites)


def read_crystals(materials: Sequence[Material], size: Size) -> CrystalArrays:
    """Return crystals as arrays.

    A left-handed cell is written in the right-handed basis of opposite vectors, because lattice
    parameters know no handedness; it is the same crystal.

    Raises:
        MaterialError: if one cannot be represented in this size, with the reason.
    """
    n, sites = len(materials), size.sites
    elements = np.full((n, size.columns), EMPTY)
    lattices = np.zeros((n, 6))
    coords = np.zeros((n, sites, 3))
    occupants = np.full((n, sites), EMPTY)
    for row, material in enumerate(materials):
        structure = _structure(material)
        numbers = np.array(structure.atomic_numbers)
        columns = {number: column for column, number in enumerate(dict.fromkeys(numbers))}
        _check_fits(structure, len(columns), size)
        matrix = structure.lattice.matrix
        hand = 1.0 if np.linalg.det(matrix) > 0 else -1.0
        elements[row, : len(columns)] = np.array(list(columns)) - 1
        lattices[row] = structure.lattice.parameters
        coords[row, : len(numbers)] = hand * structure.frac_coords
        occupants[row, : len(numbers)] = [columns[number] for number in numbers]
    return CrystalArrays(elements, lattices, coords, occupants)


def to_structures(crystals: CrystalArrays) -> list[Structure]:
    """Return the crystals as structures.

    Raises:
        MaterialError: if one has no site, or lattice parameters that close no cell.
    """
    return [_to_structure(crystals, row) for row in range(len(crystals))]


def representation_problem(material: Material, size: Size) -> str | None:
    """Return the reason why a material cannot be represented in this size; None if it can."""
    try:
        read_crystals([material], size)
    except MaterialError as error:
        return error.what
    return None


def is_valid_cell(lattices: np.ndarray) -> np.ndarray:
    """Return whether lattice parameters, shape (n, 6), make a cell with a volume, shape (n,)."""
    lengths, angles = lattices[:, :3], lattices[:, 3:]
    cosines = np.cos(np.radians(angles))
    gram = 1 + 2 * cosines.prod(axis=1) - np.square(cosines).sum(axis=1)
    return (
        np.isfinite(lattices).all(axis=1)
        & (lengths > 0).all(axis=1)
        & ((angles > 0) & (angles < 180)).all(axis=1)
        & (gram > 1e-6)
    )


def repair_lattices(crystals: CrystalArrays) -> CrystalArrays:
    """Return the crystals with lattices that close a cell: lengths of at least
    ``SHORTEST_EDGE``, angles brought towards 90° in tenths until there is a volume.
    """
    lattices = np.nan_to_num(crystals.lattices, nan=90.0)
    lattices[:, :3] = lattices[:, :3].clip(SHORTEST_EDGE, None)
    lattices[:, 3:] = lattices[:, 3:].clip(10.0, 170.0)
    for _ in range(100):
        bad = ~is_valid_cell(lattices)
        if not bad.any():
            break
        lattices[bad, 3:] = 90.0 + 0.9 * (lattices[bad, 3:] - 90.0)
    return replace(crystals, lattices=lattices)


def _structure(material: Material) -> Structure:
    if not isinstance(material, Structure):
        raise MaterialError(
            f"the composition {material.formula} has no sites", remedy="FTCP needs structures."
        )
    if len(material) == 0:
        raise MaterialError("the structure has no sites")
    if not material.is_ordered:
        raise MaterialError(
            f"{material.formula} has partly occupied sites", remedy="Order it first."
        )
    known = np.isfinite(property_table()[:, 0])
    for number in set(material.atomic_numbers):
        if not 1 <= number <= N_ELEMENTS or not known[number - 1]:
            raise MaterialError(
                f"{material.formula} holds an element without elemental properties "
                f"(atomic number {number})",
                remedy="The table covers H to Fm.",
            )
    numbers = np.concatenate([material.frac_coords.ravel(), material.lattice.parameters])
    if not np.isfinite(numbers).all() or not material.lattice.volume > 0:
        raise MaterialError(f"{material.formula} has a cell or coordinates that are not finite")
    return material


def _check_fits(structure: Structure, n_elements: int, size: Size) -> None:
    for count, room, what in (
        (len(structure), size.sites, "sites"),
        (n_elements, size.elements, "elements"),
    ):
        if count > room:
            raise MaterialError(
                f"{structure.formula} has {count} {what}; this representation holds {size}",
                remedy="Train a model on data of that size, or leave the crystal out.",
            )


def _to_structure(crystals: CrystalArrays, row: int) -> Structure:
    present = crystals.occupants[row] != EMPTY
    if not present.any():
        raise MaterialError(f"crystal {row} has no site")
    if not is_valid_cell(crystals.lattices[row : row + 1])[0]:
        values = ", ".join(f"{value:.4g}" for value in crystals.lattices[row])
        raise MaterialError(f"crystal {row}: no cell has the parameters {values} (Å, °)")
    numbers = crystals.elements[row][crystals.occupants[row][present]] + 1
    return Structure(
        Lattice.from_parameters(*crystals.lattices[row]),
        [Element.from_Z(int(number)) for number in numbers],
        crystals.coords[row][present],
    )
