"""The vocabulary of a model: its elements, numbers of atoms and phases, by index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from pymatgen.core import Structure
from torch import Tensor

from alloop.errors import MaterialError, ModelError
from alloop.materials import Material, formula_of
from alloop.models.lattice.parent import identify
from alloop.models.pcdvae.networks.crystal import MIN_DISTANCE, ReducedCrystal, read_crystals

CountBounds = tuple[tuple[int, int], ...]
"""Least and largest number of atoms of each element in a cell."""

UNKNOWN_PHASE = -1


@dataclass(frozen=True)
class Vocabulary:
    """Elements, numbers of atoms and phases by a model's indices."""

    elements: tuple[str, ...]
    atom_counts: tuple[int, ...]
    """Numbers of atoms that a decoded cell may have, rising."""
    phases: tuple[str, ...]
    """Names of parent lattices; empty where no phase is told."""
    count_bounds: CountBounds
    """Bounds of each element's number of atoms, in the order of ``elements``."""

    @classmethod
    def of(
        cls,
        elements: Sequence[str],
        atom_counts: Sequence[int],
        phases: Sequence[str] | None,
        count_bounds: Mapping[str, tuple[int, int]],
    ) -> Self:
        """Return the vocabulary, checked to be consistent.

        Args:
            elements: symbols.
            atom_counts: in any order.
            phases: at least two names, or None where the phase is not told.
            count_bounds: for some of the elements; the others may have any count.

        Raises:
            ModelError: if they do not.
        """
        counts = tuple(sorted(set(atom_counts)))
        if not elements or len(set(elements)) != len(elements):
            raise ModelError(f"elements {list(elements)}: name each once, at least one")
        if not counts or counts[0] < 2:
            raise ModelError(f"atom counts {list(counts)}: give numbers of at least 2")
        if phases is not None and len(set(phases)) < 2:
            raise ModelError(
                f"phases {list(phases)}: at least two are needed",
                remedy="Name two, or set phase: false.",
            )
        bounds = tuple(count_bounds.get(symbol, (0, counts[-1])) for symbol in elements)
        low, high = (sum(bound[i] for bound in bounds) for i in (0, 1))
        if impossible := [n for n in counts if not low <= n <= high]:
            raise ModelError(f"the count bounds allow {low} to {high} atoms, never {impossible[0]}")
        return cls(tuple(elements), counts, tuple(phases or ()), bounds)

    def read(
        self, materials: Sequence[Material], *, closest: float = MIN_DISTANCE
    ) -> tuple[list[ReducedCrystal], list[Tensor]]:
        """Return crystals and their atoms' elements, as indices.

        A cell of one atom, which has no distances, is read as two such cells side by side where
        crystals of two atoms are allowed: that is the same crystal, with the same z.

        Raises:
            MaterialError: if a material is no crystal, or has an element that is not listed.
        """
        if 2 in self.atom_counts:
            materials = [_with_two_atoms(material) for material in materials]
        crystals = read_crystals(materials, closest=closest)
        return crystals, [
            torch.tensor([self._element(site.specie, material) for site in material])
            for material in materials
        ]

    def count(self, crystal: ReducedCrystal) -> int:
        """Return the index of a crystal's number of atoms.

        Raises:
            MaterialError: if it is not listed.
        """
        if len(crystal) not in self.atom_counts:
            raise MaterialError(
                f"{len(crystal)} atoms, which the model was not made for",
                where=crystal.structure().composition.formula,
                remedy=f"It decodes cells of {', '.join(map(str, self.atom_counts))} atoms.",
            )
        return self.atom_counts.index(len(crystal))

    def refusal(self, material: Material) -> str | None:
        """Return why a crystal cannot be trained on; None where it can."""
        try:
            (crystal,), _ = self.read([material])
            self.count(crystal)
        except MaterialError as error:
            return error.what
        return None

    def phase(self, material: Material) -> int:
        """Return the index of a material's parent lattice, or UNKNOWN_PHASE.

        A parent is known only in its own setting (``alloop.models.lattice.parent.identify``).
        """
        if not self.phases:
            return 0
        try:
            name = identify(material).name
        except MaterialError:
            return UNKNOWN_PHASE
        return self.phases.index(name) if name in self.phases else UNKNOWN_PHASE

    def _element(self, specie: object, material: Material) -> int:
        symbol = str(getattr(getattr(specie, "element", specie), "symbol", specie))
        if symbol not in self.elements:
            raise MaterialError(
                f"contains {symbol}, which is not among the model's elements",
                where=formula_of(material),
                remedy=f"It knows {', '.join(self.elements)}.",
            )
        return self.elements.index(symbol)


def _with_two_atoms(material: Material) -> Material:
    """Return a cell of one atom twice, along its shortest edge; others as they are."""
    if not isinstance(material, Structure) or len(material) != 1:
        return material
    shortest = min(range(3), key=lambda axis: material.lattice.abc[axis])
    repeats = [2 if axis == shortest else 1 for axis in range(3)]
    return material.make_supercell(repeats, in_place=False)
