"""The decorations that a model knows: which elements, parents, size and counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pymatgen.core import Element, Structure

from alloop.errors import MaterialError, ModelError
from alloop.lattices import CUBIC_SITES, LatticeName
from alloop.materials import Material, formula_of
from alloop.models.lattice.parent import IntArray, ParentLattice, read_decoration


@dataclass(frozen=True)
class DecorationSpace:
    """Decorations of one or two parents of one size, with bounds on the elements' counts.

    Raises:
        ModelError: at construction, if the parts do not fit together.
    """

    elements: tuple[str, ...]
    lattices: tuple[LatticeName, ...]
    atoms: int
    count_bounds: tuple[tuple[int, int], ...]
    """Fewest and most atoms of each element, in the order of ``elements``."""

    def __post_init__(self) -> None:
        if len(self.elements) < 2 or len(set(self.elements)) != len(self.elements):
            raise ModelError(
                f"{list(self.elements)} leaves nothing to order",
                remedy="Give at least two different elements.",
            )
        if stray := [el for el in self.elements if not Element.is_valid_symbol(el)]:
            raise ModelError(f"{stray[0]!r} is not a chemical element")
        known = set(CUBIC_SITES)
        if not 1 <= len(set(self.lattices)) == len(self.lattices) or set(self.lattices) - known:
            raise ModelError(
                f"cannot decorate the lattices {list(self.lattices)}",
                remedy="Give fcc, bcc, or both.",
            )
        try:
            ParentLattice.of_size(self.lattices[0], self.atoms)
        except MaterialError as error:
            raise ModelError(error.what, remedy=error.remedy) from error
        if len(self.count_bounds) != len(self.elements) or any(
            not 0 <= low <= high <= self.atoms for low, high in self.count_bounds
        ):
            raise ModelError(
                f"count bounds {list(self.count_bounds)} for {self.atoms} atoms of "
                f"{', '.join(self.elements)}",
                remedy="Give each element 0 ≤ low ≤ high ≤ atoms.",
            )
        least, most = (sum(bound[i] for bound in self.count_bounds) for i in (0, 1))
        if not least <= self.atoms <= most:
            raise ModelError(f"the count bounds allow {least} to {most} atoms, not {self.atoms}")

    @classmethod
    def of(
        cls,
        elements: Sequence[str],
        lattices: Sequence[str],
        atoms: int,
        count_bounds: Mapping[str, tuple[int, int]],
    ) -> "DecorationSpace":
        """Return the space; elements without a bound may have any count."""
        if stray := sorted(set(count_bounds) - set(elements)):
            raise ModelError(f"count bounds for {', '.join(stray)}, which is not among {elements}")
        bounds = (count_bounds.get(element, (0, atoms)) for element in elements)
        return cls(
            tuple(elements),
            tuple(lattices),  # type: ignore[arg-type]  # checked at construction
            atoms,
            tuple((int(low), int(high)) for low, high in bounds),
        )

    @cached_property
    def parents(self) -> tuple[ParentLattice, ...]:
        """Parent lattices, one per name in ``lattices``."""
        return tuple(ParentLattice.of_size(name, self.atoms) for name in self.lattices)

    def read(self, materials: Sequence[Material]) -> tuple[IntArray, IntArray]:
        """Return element indices, shape (n, atoms), and lattice indices, shape (n,).

        The count bounds are not asked for: a model may look at what it would not propose.

        Raises:
            MaterialError: if a material is not a decoration of these parents and elements.
        """
        codes = np.empty((len(materials), self.atoms), dtype=np.int64)
        lattices = np.empty(len(materials), dtype=np.int64)
        for row, material in enumerate(materials):
            lattices[row], codes[row] = self._read_one(material)
        return codes, lattices

    def refusal(self, material: Material) -> str | None:
        """Return why a material is no decoration of these parents and elements; None where it is
        one."""
        try:
            self.read([material])
        except MaterialError as error:
            return error.what
        return None

    def structure(self, codes: IntArray, lattice: int) -> Structure:
        """Return the unrelaxed structure of element indices, shape (atoms,), on a lattice."""
        return self.parents[lattice].structure([self.elements[code] for code in codes])

    def draw(self, n: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Draw decorations at random: element indices (n, atoms) and lattice indices (n,).

        Lattices, allowed count vectors and then orderings are each equally probable.
        """
        lattices = rng.integers(len(self.lattices), size=n)
        codes = np.empty((n, self.atoms), dtype=np.int64)
        for row in range(n):
            ordered = np.repeat(np.arange(len(self.elements)), self._draw_counts(rng))
            codes[row] = rng.permutation(ordered)
        return codes, lattices

    def _read_one(self, material: Material) -> tuple[int, list[int]]:
        if not isinstance(material, Structure):
            raise MaterialError(
                "a composition has no sites to decorate",
                where=formula_of(material),
                remedy="Give a structure.",
            )
        parent, species = read_decoration(material)
        if parent not in self.parents:
            raise MaterialError(
                f"a decoration of {parent.name} {parent.n}³; this model knows "
                f"{' and '.join(self.lattices)} with {self.atoms} atoms",
                where=formula_of(material),
            )
        if stray := sorted(set(species) - set(self.elements)):
            raise MaterialError(
                f"contains {', '.join(stray)}; this model knows {', '.join(self.elements)}",
                where=formula_of(material),
            )
        return self.parents.index(parent), [self.elements.index(symbol) for symbol in species]

    def _draw_counts(self, rng: np.random.Generator) -> list[int]:
        rest, counts = self.atoms, []
        for element, (low, high) in enumerate(self.count_bounds):
            choices = np.arange(low, min(high, rest) + 1)
            weights = self._ways[element + 1][rest - choices]
            counts.append(int(rng.choice(choices, p=weights / weights.sum())))
            rest -= counts[-1]
        return counts

    @cached_property
    def _ways(self) -> list[np.ndarray]:
        """Return the number of ways in which the elements from the i-th on can fill m sites, for
        each i and m.

        Floats, because for many elements the numbers outgrow 64 bits.
        """
        ways = [np.eye(1, self.atoms + 1)[0]]
        for low, high in reversed(self.count_bounds):
            allowed = np.zeros(self.atoms + 1)
            allowed[low : high + 1] = 1.0
            ways.insert(0, np.convolve(allowed, ways[0])[: self.atoms + 1])
        return ways
