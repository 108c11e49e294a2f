"""The decorations that a model knows: of which parents, with which species and counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from pymatgen.core import Element, Structure

from alloop.errors import MaterialError, ModelError
from alloop.lattices import CUBIC_SITES
from alloop.materials import Material, formula_of
from alloop.models.lattice.parent import IntArray, ParentLattice, read_decoration
from alloop.parents.layout import FIXED, Layout, OpenSublattice, alloy_supercell
from alloop.parents.rules import CountRules
from alloop.space import Decorations, Space

MOST_REDRAWN = 1_000
"""Number of compositions drawn in succession before the rules are given up as too tight."""


@dataclass(frozen=True)
class SitesOf:
    """Open sites of one sublattice, and what may sit on them."""

    sites: slice
    """Its sites among the open ones."""
    species: tuple[int, ...]
    """Indices of its species among all."""
    bounds: tuple[tuple[int, int], ...]
    """Fewest and most sites of each."""

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return int(self.sites.stop - self.sites.start)


@dataclass(frozen=True)
class DecorationSpace:
    """Decorations of parents with the same open sublattices, with bounds on the species' counts."""

    rules: CountRules

    @classmethod
    def of_space(cls, space: Decorations) -> "DecorationSpace":
        """Return the decorations of a campaign's space."""
        return cls(space.rules)

    @classmethod
    def of(
        cls,
        elements: Sequence[str],
        lattices: Sequence[str],
        atoms: int,
        count_bounds: Mapping[str, tuple[int, int]],
    ) -> "DecorationSpace":
        """Return the decorations of alloys; elements without a bound may have any count.

        Raises:
            ModelError: if the parts do not fit together.
        """
        _require_orderable(elements, lattices)
        try:
            n, _, _ = ParentLattice.of_size("fcc", atoms).supercell.repeats
        except MaterialError as error:
            raise ModelError(error.what, remedy=error.remedy) from error
        if stray := sorted(set(count_bounds) - set(elements)):
            raise ModelError(f"count bounds for {', '.join(stray)}, which is not among {elements}")
        bounds = tuple(count_bounds.get(element, (0, atoms)) for element in elements)
        if any(not 0 <= low <= high <= atoms for low, high in bounds):
            raise ModelError(
                f"count bounds {list(bounds)} for {atoms} atoms of {', '.join(elements)}",
                remedy="Give each element 0 ≤ low ≤ high ≤ atoms.",
            )
        sites = OpenSublattice("A", tuple(elements), atoms, bounds)
        if (problem := sites.problem()) is not None:
            raise ModelError(problem)
        supercells = tuple(alloy_supercell(name, n) for name in lattices)  # type: ignore[arg-type]
        return cls(CountRules(Layout(supercells, (sites,)), {}, None))

    @property
    def layout(self) -> Layout:
        """Supercells and open sublattices."""
        return self.rules.layout

    @cached_property
    def species(self) -> tuple[str, ...]:
        """Species on any open site: elements, and ``vacancy``."""
        return self.layout.species

    @property
    def lattices(self) -> tuple[str, ...]:
        """Names of the parents."""
        return tuple(parent.name for parent in self.parents)

    @cached_property
    def parents(self) -> tuple[ParentLattice, ...]:
        """Parent lattices."""
        return parents_of(self.layout)

    @cached_property
    def sublattices(self) -> tuple[SitesOf, ...]:
        """Open sublattices, in the order of their sites."""
        found, start = [], 0
        for one in self.layout.sublattices:
            species = tuple(self.species.index(each) for each in one.species)
            found.append(SitesOf(slice(start, start + one.n_sites), species, one.count_bounds))
            start += one.n_sites
        return tuple(found)

    @cached_property
    def count_bounds(self) -> tuple[tuple[int, int], ...]:
        """Fewest and most open sites of each species, in the order of ``species``."""
        total = np.zeros((len(self.species), 2), dtype=np.int64)
        for one in self.sublattices:
            total[list(one.species)] += np.array(one.bounds)
        return tuple((int(low), int(high)) for low, high in total)

    @property
    def n_open(self) -> int:
        """Number of open sites."""
        return self.layout.n_open

    def read(self, materials: Sequence[Material]) -> tuple[IntArray, IntArray]:
        """Return species indices, shape (n, open sites), and parents' indices, shape (n,).

        The count bounds are not asked for: a model may look at what it would not propose.

        Raises:
            MaterialError: if a material is not a decoration of these parents and species.
        """
        codes = np.empty((len(materials), self.n_open), dtype=np.int64)
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
        """Return the unrelaxed structure of species indices, shape (open sites,), on a parent."""
        return self.parents[lattice].structure([self.species[code] for code in codes])

    def draw(self, n: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Draw decorations at random: species indices (n, open sites) and parents' indices (n,).

        Parents, allowed count vectors and then orderings are each equally probable; under rules
        of charge or of numbers of elements, count vectors that break them become the nearest that
        do not.

        Raises:
            MaterialError: if the rules are too tight to be met.
        """
        lattices = rng.integers(len(self.parents), size=n)
        codes = np.empty((n, self.n_open), dtype=np.int64)
        for row in range(n):
            for one, counts in zip(self.sublattices, self._draw_counts(rng), strict=True):
                ordered = np.repeat(np.array(one.species), counts)
                codes[row, one.sites] = rng.permutation(ordered)
        return codes, lattices

    def sublattice_of_atoms(self, structure: Structure) -> IntArray:
        """Return the open sublattice that each atom sits on, ``FIXED`` where none, shape (atoms,).

        Raises:
            MaterialError: if the structure is not a decoration of these parents.
        """
        parent, _ = read_decoration(structure, reading_parents(self.layout))
        atoms = parent.atoms_on_sites(structure)[: parent.n_sites]
        found = np.full(len(structure), FIXED)
        found[atoms[atoms >= 0]] = parent.sublattice[atoms >= 0]
        return found

    def counts(self, codes: IntArray) -> IntArray:
        """Return the number of sites of each class of ``rules``, shape (n, classes)."""
        columns = [
            (codes[:, one.sites] == species).sum(axis=1)
            for one in self.sublattices
            for species in one.species
        ]
        return np.stack(columns, axis=1)

    def split(self, counts: IntArray) -> list[IntArray]:
        """Return counts of all classes sublattice by sublattice."""
        ends = np.cumsum([len(one.species) for one in self.sublattices])
        return np.split(counts, ends[:-1])

    def _read_one(self, material: Material) -> tuple[int, list[int]]:
        if not isinstance(material, Structure):
            raise MaterialError(
                "a composition has no sites to decorate",
                where=formula_of(material),
                remedy="Give a structure.",
            )
        known = f"this model knows {' and '.join(p.title for p in self.parents)}"
        parent, species = read_decoration(material, reading_parents(self.layout))
        if parent not in self.parents:
            raise MaterialError(
                f"a decoration of {parent.title}; {known} with {self.n_open} atoms",
                where=formula_of(material),
            )
        index = self.parents.index(parent)
        codes = []
        for one in self.sublattices:
            allowed = [self.species[each] for each in one.species]
            here = species[one.sites]
            if stray := sorted(set(here) - set(allowed)):
                where = "" if len(self.sublattices) == 1 else " on sites of another sublattice"
                raise MaterialError(
                    f"contains {', '.join(stray)}{where}; this model knows {', '.join(allowed)}",
                    where=formula_of(material),
                )
            codes += [self.species.index(symbol) for symbol in here]
        return index, codes

    def _draw_counts(self, rng: np.random.Generator) -> list[IntArray]:
        for _ in range(MOST_REDRAWN):
            drawn = [
                np.array(_draw(one, ways, rng))
                for one, ways in zip(self.sublattices, self._ways, strict=True)
            ]
            if self.rules.is_trivial:
                return drawn
            allowed = self.rules.nearest_allowed(np.concatenate(drawn))
            if allowed is not None:
                return self.split(allowed)
        raise MaterialError(
            f"none of {MOST_REDRAWN} compositions drawn at random can be mended to keep the rules "
            "of charge and of numbers of elements",
            remedy="Widen the fractions, or correct charges and max_elements.",
        )

    @cached_property
    def _ways(self) -> list[list[np.ndarray]]:
        return [_ways(one) for one in self.sublattices]


def _draw(sites: SitesOf, ways: list[np.ndarray], rng: np.random.Generator) -> list[int]:
    rest, counts = sites.n_sites, []
    for element, (low, high) in enumerate(sites.bounds):
        choices = np.arange(low, min(high, rest) + 1)
        weights = ways[element + 1][rest - choices]
        counts.append(int(rng.choice(choices, p=weights / weights.sum())))
        rest -= counts[-1]
    return counts


def _ways(sites: SitesOf) -> list[np.ndarray]:
    """Return the number of ways in which the species from the i-th on can fill m sites, for each i
    and m.

    Floats, because for many species the numbers outgrow 64 bits.
    """
    n = sites.n_sites
    ways = [np.eye(1, n + 1)[0]]
    for low, high in reversed(sites.bounds):
        allowed = np.zeros(n + 1)
        allowed[low : high + 1] = 1.0
        ways.insert(0, np.convolve(allowed, ways[0])[: n + 1])
    return ways


@lru_cache(maxsize=16)
def parents_of(layout: Layout) -> tuple[ParentLattice, ...]:
    """Return the parents of a layout, each with what it works out once."""
    return tuple(ParentLattice(supercell) for supercell in layout.supercells)


def reading_parents(layout: Layout) -> tuple[ParentLattice, ...]:
    """Return the parents to read a structure by; none of alloys, which are known by their cell."""
    is_alloy = all(
        len(one.species) == 1 and not one.species[0] and FIXED not in one.groups
        for one in layout.supercells
    )
    return () if is_alloy else parents_of(layout)


def parents_in(space: Space | None) -> tuple[ParentLattice, ...]:
    """Return the parents to read a material of a space by; none in spaces without."""
    return reading_parents(space.layout) if isinstance(space, Decorations) else ()


def _require_orderable(elements: Sequence[str], lattices: Sequence[str]) -> None:
    if len(elements) < 2 or len(set(elements)) != len(elements):
        raise ModelError(
            f"{list(elements)} leaves nothing to order",
            remedy="Give at least two different elements.",
        )
    if stray := [el for el in elements if not Element.is_valid_symbol(el)]:
        raise ModelError(f"{stray[0]!r} is not a chemical element")
    if not 1 <= len(set(lattices)) == len(lattices) or set(lattices) - set(CUBIC_SITES):
        raise ModelError(
            f"cannot decorate the lattices {list(lattices)}", remedy="Give fcc, bcc, or both."
        )
