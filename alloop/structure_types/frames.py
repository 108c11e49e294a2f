"""Frames: crystals without their elements, into which other elements can be put."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pymatgen.core import Lattice, Structure

from alloop.errors import MaterialError
from alloop.materials import Material
from alloop.parents.sizes import Bond, element_volume, volume_per_site

IntArray = npt.NDArray[np.int64]

FRAME_DECIMALS = 3
"""Decimals to which the cell, in units of the cube root of its volume, and the fractional
coordinates of two crystals of one frame agree."""
SAME_SHELL = 1.1
"""Distance over that of a site's nearest neighbour up to which others are bonded to it."""


@dataclass(frozen=True)
class Frame:
    """A cell of unit volume with numbered slots: sites of one slot hold the same element."""

    name: str
    """Name of the prototype, or id of the material that it was found in."""
    cell: np.ndarray
    """Lattice vectors as rows, in units of the cube root of the volume, shape (3, 3)."""
    slots: IntArray
    """Slot of each site, shape (n,); numbered by their first sites."""
    frac_coords: np.ndarray
    """Fractional coordinates, shape (n, 3)."""
    volume_factor: float | None = None
    """Volume over the sum of the volumes of the elements by themselves; None where the volume is
    guessed anew for every filling, from ionic radii or these volumes."""

    @classmethod
    def of(cls, structure: Structure, name: str) -> "Frame":
        """Return the frame of an ordered crystal.

        Raises:
            MaterialError: if a site is partly occupied, or no volume is tabulated for an element.
        """
        frame = cls.of_prototype(structure, name)
        volume = sum(element_volume(symbol) for symbol in symbols_of(structure))
        return replace(frame, volume_factor=structure.volume / volume)

    @classmethod
    def of_prototype(cls, structure: Structure, name: str) -> "Frame":
        """Return the frame of a prototype, whose own volume says nothing of other elements'."""
        order = list(dict.fromkeys(symbols := symbols_of(structure)))
        slots = np.array([order.index(symbol) for symbol in symbols])
        cell = structure.lattice.matrix / structure.volume ** (1 / 3)
        return cls(name, cell, slots, structure.frac_coords)

    @property
    def n_slots(self) -> int:
        """Number of elements that it takes."""
        return int(self.slots.max()) + 1

    @cached_property
    def multiplicities(self) -> IntArray:
        """Number of sites of each slot, shape (n_slots,)."""
        return np.bincount(self.slots)

    @property
    def key(self) -> bytes:
        """Bytes that crystals of one frame, in one setting, share."""
        numbers = np.concatenate([self.cell.ravel(), (self.frac_coords % 1.0).ravel()])
        rounded = np.round(numbers, FRAME_DECIMALS) + 0.0
        rounded[9:] %= 1.0  # 0.9999 is 0 of the next cell
        return self.slots.astype(np.int64).tobytes() + rounded.tobytes()

    @cached_property
    def bonds(self) -> tuple[Bond, ...]:
        """Pairs of a site and its nearest neighbours, lengths in cube roots of the volume per
        site."""
        n = len(self.slots)
        cell = Lattice(self.cell * n ** (1 / 3))
        bare = Structure(cell, ["H"] * n, self.frac_coords)
        centres, others, _, lengths = bare.get_neighbor_list(max(cell.abc) * (1 + 1e-8))
        nearest = np.full(n, np.inf)
        np.minimum.at(nearest, centres, lengths)
        is_near = lengths <= SAME_SHELL * nearest[centres]
        near = (part[is_near].tolist() for part in (centres, others, lengths))
        return tuple(zip(*near, strict=True))

    def fill(self, elements: Sequence[str]) -> Structure:
        """Return the crystal with an element for each slot, its volume in proportion to that of
        the elements by themselves, or as ``alloop.parents.sizes`` guesses it for a prototype.

        Raises:
            MaterialError: if no volume is tabulated for an element.
        """
        species = [elements[slot] for slot in self.slots]
        if self.volume_factor is None:
            volume = len(species) * volume_per_site(species, self.bonds)
        else:
            volume = self.volume_factor * sum(element_volume(symbol) for symbol in species)
        lattice = Lattice(self.cell * volume ** (1 / 3))
        return Structure(lattice, species, self.frac_coords)


def symbols_of(structure: Structure) -> list[str]:
    """Return the element of each site.

    Raises:
        MaterialError: if a site is partly occupied.
    """
    if not structure.is_ordered:
        raise MaterialError("the structure has partly occupied sites", remedy="Order it first.")
    return [getattr(site.specie, "element", site.specie).symbol for site in structure]


def frames_of(materials: Mapping[str, Material]) -> Iterator[Frame]:
    """Yield the frames of known crystals, named by their ids; those that have none are left out."""
    for name, material in materials.items():
        if isinstance(material, Structure):
            with suppress(MaterialError):
                yield Frame.of(material, name)
