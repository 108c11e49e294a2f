"""Moves between decorations of a parent lattice: exchanges of atoms and changes of element."""

from collections.abc import Sequence
from functools import cached_property
from itertools import permutations

import numpy as np

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import BoolArray, Change, IntArray
from alloop.loop.choose.moves.sampling import choose, choose_pair
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

    A code is the index of the lattice and then, site by site, the index of the element. The unit
    of distance is a site that holds another element; decorations of different lattices are as far
    apart as the cell has sites.
    """

    def __init__(self, space: Decorations) -> None:
        self._space = DecorationSpace.of(
            space.elements, space.lattices, space.atoms, space.count_bounds()
        )
        self._low, self._high = np.array(self._space.count_bounds).T
        self._n_elements = len(self._space.elements)
        counts = np.arange(space.atoms + 1)
        within = (counts >= self._low[:, None]) & (counts <= self._high[:, None])
        # How probable a count or a smaller one is, for each element and rest: (e, rest, count)
        self._cumulative = np.cumsum(self._count_weights(within), axis=-1)

    def encode(self, materials: Sequence[Material]) -> IntArray:
        """Return lattice and element indices, shape (n, 1 + atoms).

        Raises:
            MaterialError: if a material is not a decoration of these lattices and elements.
        """
        codes, lattices = self._space.read(materials)
        return np.column_stack([lattices, codes])

    def decode(self, codes: IntArray) -> list[Material]:
        """Return the unrelaxed structure of each row."""
        return [self._space.structure(code[1:], int(code[0])) for code in codes]

    def draw(self, n: int, rng: np.random.Generator) -> IntArray:
        """Draw n codes: lattices, allowed counts and then orderings are equally probable."""
        lattices = rng.integers(len(self._space.lattices), size=(n, 1))
        rest = np.full(n, self._space.atoms)
        ordered = np.zeros((n, self._space.atoms), dtype=np.int64)
        for element in range(self._n_elements):
            cumulative = self._cumulative[element][rest]
            drawn = rng.random(n) * cumulative[:, -1]
            counts = (cumulative > drawn[:, None]).argmax(axis=1)
            # The last `rest` sites are not filled yet: those behind this element's hold the next.
            rest = rest - counts
            ordered += np.arange(self._space.atoms) >= (self._space.atoms - rest)[:, None]
        return np.hstack([lattices, rng.permuted(ordered, axis=1)])

    def mutate(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """Exchange two unlike atoms of each row, or change one atom's element, or the lattice.

        All possible exchanges are equally probable, and so are all possible changes of an atom.
        """
        moved = codes.copy()
        n_lattices = len(self._space.lattices)
        kinds = rng.random(len(codes))
        is_lattice = (kinds < P_LATTICE) if n_lattices > 1 else np.zeros(len(codes), dtype=bool)
        shift = rng.integers(1, max(n_lattices, 2), size=len(codes))
        moved[is_lattice, 0] = (codes[is_lattice, 0] + shift[is_lattice]) % n_lattices
        wants_exchange = (rng.random(len(codes)) < P_EXCHANGE) | self._is_composition_fixed
        rest = np.flatnonzero(~is_lattice)
        first, second = rest[wants_exchange[rest]], rest[~wants_exchange[rest]]
        unable_first = self._exchange(moved, first, rng)  # of one element only
        unable_second = self._change(moved, second, rng)  # at its bounds
        self._change(moved, unable_first, rng)
        self._exchange(moved, unable_second, rng)
        return moved

    def crossover(self, a: IntArray, b: IntArray, rng: np.random.Generator) -> IntArray:
        """Return the first of each pair with a slab of the second.

        This is cut and splice (Deaven and Ho, Phys. Rev. Lett. 75, 288, 1995) in a periodic cell.
        Counts outside of their bounds are mended at sites where the parents differ.
        """
        coords = self._space.parents[0].sites  # the same for every lattice, in fractions
        axes, starts = rng.integers(3, size=len(a)), rng.random(len(a))
        thickness = rng.uniform(*SLAB, size=len(a))
        in_slab = (coords[:, axes].T - starts[:, None]) % 1.0 < thickness[:, None]
        child = a.copy()
        child[:, 1:] = np.where(in_slab, b[:, 1:], a[:, 1:])
        self._mend(child, a[:, 1:] != b[:, 1:], rng)
        return child

    def neighbouring_compositions(self, code: IntArray, rng: np.random.Generator) -> IntArray:
        """Return the orderings with 1/4, 1/8, … of all atoms of one element, then with one, turned
        into another element at random sites; before them the ordering on other lattices."""
        others = (code[0] + np.arange(1, len(self._space.lattices))) % len(self._space.lattices)
        found = [np.concatenate([[lattice], code[1:]]) for lattice in others]
        size = self._space.atoms // 4 or 1
        while True:
            pairs = list(permutations(range(self._n_elements), 2))
            for place in rng.permutation(len(pairs)):
                old, new = pairs[place]
                sites = np.flatnonzero(code[1:] == old)
                if len(sites) >= size:
                    other = code.copy()
                    other[1 + rng.choice(sites, size, replace=False)] = new
                    found.append(other)
            if size == 1:
                break
            size //= 2
        codes = np.array(found).reshape(-1, len(code))
        return codes[self.in_bounds(codes)]

    def distance(self, codes: IntArray, other: IntArray) -> IntArray:
        """Return the number of sites that hold another element; all, on another lattice."""
        sites = (codes[..., 1:] != other[..., 1:]).sum(axis=-1)
        return np.where(codes[..., 0] == other[..., 0], sites, self._space.atoms)

    def in_bounds(self, codes: IntArray) -> BoolArray:
        """Return whether every element's count is within its bounds, shape (n,)."""
        counts = self._counts(codes)
        return ((counts >= self._low) & (counts <= self._high)).all(axis=1)

    def changes(self, parent: IntArray, code: IntArray) -> tuple[Change, ...]:
        """Return the lattice, if it is another, and the sites that hold another element."""
        sites = np.flatnonzero(parent[1:] != code[1:])
        atoms = [(f"site {site}", self._space.elements[code[1 + site]]) for site in sites]
        lattice = [("lattice", self._space.lattices[code[0]])] if parent[0] != code[0] else []
        return (*lattice, *atoms)

    def apply(self, parent: IntArray, changes: Sequence[Change]) -> IntArray:
        """Return the code that recorded changes make of a parent's, shape (1 + atoms,)."""
        code = parent.copy()
        for part, value in changes:
            try:
                if part == "lattice":
                    code[0] = self._space.lattices.index(value)
                else:
                    site = int(part.removeprefix("site "))
                    code[range(1, len(code))[site]] = self._space.elements.index(value)
            except (ValueError, IndexError) as error:
                raise MaterialError(f"no decoration has {value!r} as its {part}") from error
        return code

    @cached_property
    def _is_composition_fixed(self) -> bool:
        return bool((self._low == self._high).all())

    def _counts(self, codes: IntArray) -> IntArray:
        """Return how many atoms of each element each row has, shape (n, elements)."""
        elements = range(self._n_elements)
        return np.stack([(codes[:, 1:] == element).sum(axis=1) for element in elements], axis=1)

    def _exchange(self, codes: IntArray, rows: IntArray, rng: np.random.Generator) -> IntArray:
        """Exchange two unlike atoms in these rows; return the rows that have none."""
        atoms = codes[rows, 1:]
        partners = atoms.shape[1] - np.take_along_axis(self._counts(codes[rows]), atoms, axis=1)
        i, is_able = choose(partners, rng)  # by the number of unlike partners: all pairs alike
        held = atoms[np.arange(len(rows)), i]
        j, _ = choose(atoms != held[:, None], rng)
        able, i, j = rows[is_able], 1 + i[is_able], 1 + j[is_able]
        codes[able, i], codes[able, j] = codes[able, j], codes[able, i]
        return rows[~is_able]

    def _change(self, codes: IntArray, rows: IntArray, rng: np.random.Generator) -> IntArray:
        """Change one atom's element in these rows; return the rows whose bounds forbid it."""
        counts = self._counts(codes[rows])
        donors = np.where(counts > self._low, counts, 0)
        pairs = donors[:, :, None] * (counts < self._high)[:, None, :]
        pairs[:, range(self._n_elements), range(self._n_elements)] = 0
        old, new, is_able = choose_pair(pairs, rng)
        site, _ = choose(codes[rows, 1:] == old[:, None], rng)
        codes[rows[is_able], 1 + site[is_able]] = new[is_able]
        return rows[~is_able]

    def _mend(self, codes: IntArray, may_change: BoolArray, rng: np.random.Generator) -> None:
        """Bring counts back into their bounds by changes of atoms at the given sites.

        Such a change exists as long as a row is outside: where an element is in excess, or short
        while another is above its least, the row has more of one than a parent that is in bounds.
        """
        everything = np.arange(len(codes))
        for _ in range(self._space.atoms):
            rows = everything[~self.in_bounds(codes)]
            if not len(rows):
                return
            counts, free = self._counts(codes[rows]), may_change[rows]
            atoms = codes[rows, 1:]
            movable = np.stack(
                [((atoms == el) & free).any(axis=1) for el in range(self._n_elements)], axis=1
            )
            excess, shortage = counts > self._high, counts < self._low
            give = np.where(excess.any(axis=1, keepdims=True), excess, counts > self._low) & movable
            take = np.where(shortage.any(axis=1, keepdims=True), shortage, counts < self._high)
            old, is_able = choose(give, rng)
            new, _ = choose(take, rng)
            site, _ = choose((atoms == old[:, None]) & free, rng)
            codes[rows[is_able], 1 + site[is_able]] = new[is_able]

    def _count_weights(self, within: BoolArray) -> np.ndarray:
        """Return the number of ways in which an element can have a count and the later elements
        fill what is left, shape (elements, 1 + rest, 1 + count); floats, as there may be many.
        """
        n = self._space.atoms + 1
        ways = np.eye(1, n)[0]
        weights = np.zeros((self._n_elements, n, n))
        for element in reversed(range(self._n_elements)):
            for rest in range(n):
                weights[element, rest, : rest + 1] = ways[rest::-1] * within[element, : rest + 1]
            ways = weights[element].sum(axis=1)
        return weights
