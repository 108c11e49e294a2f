"""Frames: crystals without their elements, which other elements can be put into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import IntArray
from alloop.materials import Material
from alloop.models.ftcp.inverse_design.prototypes import PROTOTYPES
from alloop.parents.sizes import element_volume

FRAME_DECIMALS = 3
"""Decimals to which the cell, in units of the cube root of its volume, and the fractional
coordinates of two crystals of one frame agree."""


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
    volume_factor: float = 1.0
    """Volume over the sum of the volumes of the elements by themselves."""

    @classmethod
    def of(cls, structure: Structure, name: str) -> "Frame":
        """Return the frame of an ordered crystal.

        Raises:
            MaterialError: if a site is partly occupied, or no volume is tabulated for an element.
        """
        symbols = symbols_of(structure)
        order = list(dict.fromkeys(symbols))
        slots = np.array([order.index(symbol) for symbol in symbols])
        volume = sum(element_volume(symbol) for symbol in symbols)
        cell = structure.lattice.matrix / structure.volume ** (1 / 3)
        return cls(name, cell, slots, structure.frac_coords, structure.volume / volume)

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

    def fill(self, elements: Sequence[str]) -> Structure:
        """Return the crystal with an element for each slot, its volume in proportion to that of
        the elements by themselves."""
        species = [elements[slot] for slot in self.slots]
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


def known_frames(materials: Mapping[str, Material], *, max_slots: int) -> tuple[Frame, ...]:
    """Return the frames of prototypes and of known crystals, each once, prototypes first.

    Args:
        materials: known crystals by their id, in an order that decides which of equals counts;
            those that have no frame are left out.
        max_slots: largest number of different elements.
    """
    frames: dict[bytes, Frame] = {}
    for prototype in PROTOTYPES:
        structure = Structure(
            Lattice(prototype.cell), [_ROLES[role] for role in prototype.roles], prototype.coords
        )
        frame = Frame.of(structure, prototype.name)
        frame = Frame(frame.name, frame.cell, frame.slots, frame.frac_coords)
        frames.setdefault(frame.key, frame)
    for name, material in materials.items():
        if not isinstance(material, Structure):
            continue
        try:
            frame = Frame.of(material, name)
        except MaterialError:
            continue
        frames.setdefault(frame.key, frame)
    return tuple(frame for frame in frames.values() if frame.n_slots <= max_slots)


_ROLES = {"A": "Ni", "B": "Ti", "C": "Si"}
"""Any three elements, to tell a prototype's sites apart."""
