"""Moves between decorations of parent lattices: exchanges of atoms and changes of species."""

from collections.abc import Sequence
from functools import cached_property
from itertools import permutations

import numpy as np

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import BoolArray, Change, FloatArray, IntArray
from alloop.loop.choose.moves.counts import CountDraws, CountMoves
from alloop.loop.choose.moves.sampling import choose, choose_place
from alloop.materials import Material
from alloop.models.lattice.decorations import DecorationSpace
from alloop.space import Decorations

P_EXCHANGE = 0.7
"""Probability of an exchange of two atoms where the composition may change as well."""
P_LATTICE = 0.02
"""Probability of a change of lattice where there are several."""
SLAB = (0.25, 0.75)
"""Thinnest and thickest slab of the cell that a child has from its second parent."""


class DecorationMoves:
    """Moves between decorations.

    A code is the index of the lattice and then, open site by open site, the index of the species.
    Species change places within a sublattice alone. The unit of distance is a site that holds
    another species; decorations of different lattices are as far apart as there are open sites.
    """

    def __init__(self, space: Decorations) -> None:
        self._space = DecorationSpace.of_space(space)
        self._rules, self._elements = self._space.rules, space.elements
        self._n_species = len(self._space.species)
        self._n_sites = self._space.n_open
        self._draws = [CountDraws(one) for one in self._space.sublattices]
        self._count_moves = CountMoves(self._space)
        # Bounds by sublattice and species; what a sublattice does not have is bounded to none.
        shape = len(self._space.sublattices), self._n_species
        self._low: IntArray = np.zeros(shape, dtype=np.int64)
        self._high: IntArray = np.zeros(shape, dtype=np.int64)
        self._sublattice = np.zeros(self._n_sites, dtype=np.int64)
        for index, one in enumerate(self._space.sublattices):
            species = list(one.species)
            self._low[index, species], self._high[index, species] = np.array(one.bounds).T
            self._sublattice[one.sites] = index

    def encode(self, materials: Sequence[Material]) -> IntArray:
        """Return lattice and species indices, shape (n, 1 + sites).

        Raises:
            MaterialError: if a material is not a decoration of these lattices and species.
        """
        codes, lattices = self._space.read(materials)
        return np.column_stack([lattices, codes])

    def decode(self, codes: IntArray) -> list[Material]:
        """Return the unrelaxed structure of each row."""
        return [self._space.structure(code[1:], int(code[0])) for code in codes]

    def draw(self, n: int, rng: np.random.Generator) -> IntArray:
        """Draw n codes: lattices, allowed counts and then orderings are equally probable; counts
        that break the rules become the nearest that keep them."""
        lattices = rng.integers(len(self._space.parents), size=(n, 1))
        parts = []
        for one, draws in zip(self._space.sublattices, self._draws, strict=True):
            parts.append(rng.permuted(np.array(one.species)[draws.ordered(n, rng)], axis=1))
        codes = np.hstack([lattices, *parts])
        return codes if self._rules.is_trivial else self._count_moves.mended(codes, rng)

    def mutate(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """Exchange two unlike atoms of each row, or change one atom's species, or the lattice.

        All possible exchanges are equally probable, and so are all possible changes of an atom.
        Under rules of charge several atoms change at once, so that the charge is kept.
        """
        moved = codes.copy()
        n_lattices = len(self._space.parents)
        kinds = rng.random(len(codes))
        is_lattice = (kinds < P_LATTICE) if n_lattices > 1 else np.zeros(len(codes), dtype=bool)
        shift = rng.integers(1, max(n_lattices, 2), size=len(codes))
        moved[is_lattice, 0] = (codes[is_lattice, 0] + shift[is_lattice]) % n_lattices
        wants_exchange = (rng.random(len(codes)) < P_EXCHANGE) | self._is_composition_fixed
        rest = np.flatnonzero(~is_lattice)
        first, second = rest[wants_exchange[rest]], rest[~wants_exchange[rest]]
        unable_first = self._exchange(moved, first, rng)  # of one species only
        unable_second = self._change(moved, second, rng)  # at its bounds
        self._change(moved, unable_first, rng)
        self._exchange(moved, unable_second, rng)
        return moved

    def crossover(self, a: IntArray, b: IntArray, rng: np.random.Generator) -> IntArray:
        """Return the first of each pair with a slab of the second.

        This is cut and splice (Deaven and Ho, Phys. Rev. Lett. 75, 288, 1995) in a periodic cell.
        Counts outside of their bounds are mended at sites where the parents differ.
        """
        coords = self._space.parents[0].sites  # of fcc and bcc the same, in fractions
        axes, starts = rng.integers(3, size=len(a)), rng.random(len(a))
        thickness = rng.uniform(*SLAB, size=len(a))
        in_slab = (coords[:, axes].T - starts[:, None]) % 1.0 < thickness[:, None]
        child = a.copy()
        child[:, 1:] = np.where(in_slab, b[:, 1:], a[:, 1:])
        self._mend(child, a[:, 1:] != b[:, 1:], rng)
        return child if self._rules.is_trivial else self._count_moves.mended(child, rng)

    def neighbouring_compositions(self, code: IntArray, rng: np.random.Generator) -> IntArray:
        """Return the orderings with 1/4, 1/8, … of all atoms of one species, then with one, turned
        into another species at random sites; before them the ordering on other lattices."""
        others = (code[0] + np.arange(1, len(self._space.parents))) % len(self._space.parents)
        found = [np.concatenate([[lattice], code[1:]]) for lattice in others]
        if not self._rules.is_trivial:
            found += list(self._count_moves.neighbours(code, rng))
        size = self._n_sites // 4 or 1
        while True:
            pairs = list(permutations(range(self._n_species), 2))
            for place in rng.permutation(len(pairs)):
                old, new = pairs[place]
                has_both = np.all(self._high[:, [old, new]] > 0, axis=1)
                sites = np.flatnonzero((code[1:] == old) & has_both[self._sublattice])
                if len(sites) >= size:
                    other = code.copy()
                    other[1 + rng.choice(sites, size, replace=False)] = new
                    found.append(other)
            if size == 1:
                break
            size //= 2
        codes = np.array(found).reshape(-1, len(code))
        inside = codes[self.in_bounds(codes)]
        first = np.sort(np.unique(inside, axis=0, return_index=True)[1])
        return inside[first]

    def distance(self, codes: IntArray, other: IntArray) -> IntArray:
        """Return the number of sites that hold another species; all, on another lattice."""
        sites = (codes[..., 1:] != other[..., 1:]).sum(axis=-1)
        return np.where(codes[..., 0] == other[..., 0], sites, self._n_sites)

    def fractions(self, codes: IntArray) -> FloatArray:
        """Return the atomic fractions of the elements, those of fixed sites too, shape (n,
        elements)."""
        species = (codes[:, 1:, None] == np.arange(self._n_species)).sum(axis=1)
        amounts = species @ self._elements_of_species + self._fixed_atoms[codes[:, 0]]
        found: FloatArray = amounts / amounts.sum(axis=1, keepdims=True)
        return found

    def in_bounds(self, codes: IntArray) -> BoolArray:
        """Return whether every species' count is within its bounds and rules, shape (n,)."""
        counts = self._counts(codes)
        is_within = (counts >= self._low) & (counts <= self._high)
        within: BoolArray = np.logical_and.reduce(is_within, axis=(1, 2))
        if not self._rules.is_trivial:
            within &= self._rules.allows(self._space.counts(codes[:, 1:]))
        return within

    def changes(self, parent: IntArray, code: IntArray) -> tuple[Change, ...]:
        """Return the lattice, if it is another, and the sites that hold another species."""
        sites = np.flatnonzero(parent[1:] != code[1:])
        atoms = [(f"site {site}", self._space.species[code[1 + site]]) for site in sites]
        lattice = [("lattice", self._space.lattices[code[0]])] if parent[0] != code[0] else []
        return (*lattice, *atoms)

    def apply(self, parent: IntArray, changes: Sequence[Change]) -> IntArray:
        """Return the code that recorded changes make of a parent's, shape (1 + sites,)."""
        code = parent.copy()
        for part, value in changes:
            try:
                if part == "lattice":
                    code[0] = self._space.lattices.index(value)
                else:
                    site = int(part.removeprefix("site "))
                    code[range(1, len(code))[site]] = self._space.species.index(value)
            except (ValueError, IndexError) as error:
                raise MaterialError(f"no decoration has {value!r} as its {part}") from error
        return code

    @cached_property
    def _is_composition_fixed(self) -> bool:
        return bool((self._low == self._high).all())

    @cached_property
    def _elements_of_species(self) -> IntArray:
        """Atoms of each element on a site with a species: none on a vacancy, shape (species,
        elements)."""
        species = np.array(self._space.species)
        found: IntArray = (species[:, None] == np.array(self._elements)).astype(np.int64)
        return found

    @cached_property
    def _fixed_atoms(self) -> FloatArray:
        """Atoms of each element on the sites of each parent that are not open, shape (parents,
        elements)."""
        filled = np.zeros(self._space.n_open, dtype=np.int64)
        on_open = self._elements_of_species[filled].sum(axis=0)
        whole = [
            self._space.structure(filled, lattice).composition
            for lattice in range(len(self._space.parents))
        ]
        amounts = [[float(each[symbol]) for symbol in self._elements] for each in whole]
        return np.array(amounts) - on_open

    def _counts(self, codes: IntArray) -> IntArray:
        """Return how many atoms of each species each row has, shape (n, sublattices, species)."""
        by_sublattice = []
        for one in self._space.sublattices:
            here = codes[:, 1:][:, one.sites]
            by_sublattice.append([(here == each).sum(axis=1) for each in range(self._n_species)])
        return np.array(by_sublattice).transpose(2, 0, 1)

    def _exchange(self, codes: IntArray, rows: IntArray, rng: np.random.Generator) -> IntArray:
        """Exchange two unlike atoms in these rows; return the rows that have none."""
        atoms, sublattice = codes[rows, 1:], self._sublattice
        counts = self._counts(codes[rows])
        alike = counts[np.arange(len(rows))[:, None], sublattice, atoms]
        sizes = np.bincount(sublattice)[sublattice]
        # By the number of unlike partners, so that all pairs are equally probable.
        i, is_able = choose(sizes - alike, rng)
        held = atoms[np.arange(len(rows)), i]
        beside = sublattice == sublattice[i][:, None]
        j, _ = choose((atoms != held[:, None]) & beside, rng)
        able, i, j = rows[is_able], 1 + i[is_able], 1 + j[is_able]
        codes[able, i], codes[able, j] = codes[able, j], codes[able, i]
        return rows[~is_able]

    def _change(self, codes: IntArray, rows: IntArray, rng: np.random.Generator) -> IntArray:
        """Change one atom's species in these rows; return the rows whose bounds forbid it."""
        if not self._rules.is_trivial:
            return self._count_moves.step(codes, rows, rng)
        counts = self._counts(codes[rows])
        donors = np.where(counts > self._low, counts, 0)
        pairs = donors[..., :, None] * (counts < self._high)[..., None, :]
        pairs[..., range(self._n_species), range(self._n_species)] = 0
        (where, old, new), is_able = choose_place(pairs, rng)
        here = self._sublattice == where[:, None]
        site, _ = choose((codes[rows, 1:] == old[:, None]) & here, rng)
        codes[rows[is_able], 1 + site[is_able]] = new[is_able]
        return rows[~is_able]

    def _mend(self, codes: IntArray, may_change: BoolArray, rng: np.random.Generator) -> None:
        """Bring counts back into their bounds by changes of atoms at the given sites.

        Such a change exists as long as a row is outside: where a species is in excess, or short
        while another is above its least, the row has more of one than a parent that is in bounds.
        """
        for index, one in enumerate(self._space.sublattices):
            low, high = self._low[index], self._high[index]
            sites = np.arange(1, codes.shape[1])[one.sites]
            for _ in range(one.n_sites):
                counts = self._counts(codes)[:, index]
                rows = np.flatnonzero(((counts < low) | (counts > high)).any(axis=1))
                if not len(rows):
                    break
                counts, free = counts[rows], may_change[rows][:, one.sites]
                atoms = codes[rows[:, None], sites]
                movable = np.stack(
                    [((atoms == el) & free).any(axis=1) for el in range(self._n_species)], axis=1
                )
                excess, shortage = counts > high, counts < low
                give = np.where(excess.any(axis=1, keepdims=True), excess, counts > low) & movable
                take = np.where(shortage.any(axis=1, keepdims=True), shortage, counts < high)
                old, is_able = choose(give, rng)
                new, _ = choose(take, rng)
                site, _ = choose((atoms == old[:, None]) & free, rng)
                codes[rows[is_able], sites[site[is_able]]] = new[is_able]
