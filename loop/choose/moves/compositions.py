"""Moves between compositions: shifts of an amount, exchanges and replacements of elements."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from pymatgen.core import Composition

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import BoolArray, Change, FloatArray, IntArray
from alloop.loop.choose.moves.sampling import choose, choose_place, draw_in_bounds
from alloop.materials import Material, composition_of, formula_of
from alloop.parents.rules import PRICE_SLACK
from alloop.space import AnySpace, Compositions

FRACTION_STEPS = 1000
"""Number of steps of an atomic fraction where a space has no step of its own."""
ATTEMPTS = 32
"""Number of moves tried for a row until one keeps the price."""
P_SHIFT, P_EXCHANGE = 0.7, 0.15
"""Probabilities of a shift and of an exchange of two amounts; the rest are replacements."""
COMPOSITION_STEPS = (200, 100, 50, 20, 10, 5, 2, 1)
"""Steps to neighbouring compositions, in thousandths."""
LARGEST_SHIFT = 0.5
"""Largest fraction that is shifted; sizes are uniform in their logarithm."""


class CompositionMoves:
    """Moves between compositions.

    A code is the whole number of parts of each element, out of 1,000 or of what the space's step
    makes: an alloy that somebody could weigh out. The unit of distance is one part that belongs to
    another element.
    """

    def __init__(self, space: Compositions) -> None:
        self._elements = space.elements
        self._n_parts = space.n_parts
        self._low, self._high = np.array([space.part_bounds(el) for el in space.elements]).T
        excess = space.price_excess
        self._prices = np.array([excess[el] for el in space.elements]) if excess else None
        self._fewest, self._most = space.element_numbers()

    def encode(self, materials: Sequence[Material]) -> IntArray:
        """Return whole parts, shape (n, elements), with the smallest error of rounding.

        Raises:
            MaterialError: if a material holds an element that the space does not list.
        """
        fractions = np.array([self._fractions(material) for material in materials])
        return whole_parts(fractions, self._n_parts)

    def decode(self, codes: IntArray) -> list[Material]:
        """Return the composition of each row."""
        return [
            Composition(
                {
                    symbol: part / self._n_parts
                    for symbol, part in zip(self._elements, code.tolist(), strict=True)
                    if part
                }
            )
            for code in codes
        ]

    def draw(self, n: int, rng: np.random.Generator) -> IntArray:
        """Draw n codes: the number of elements, which ones, and their fractions are uniform.

        Raises:
            MaterialError: if none of ``MAX_DRAWS`` in succession lies within the bounds.
        """
        return draw_in_bounds(
            lambda size: self._draw_freely(size, rng), self.in_bounds, n, what="compositions"
        )

    def mutate(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """Shift parts of each row from one element to another, exchange the amounts of two
        elements, or give one's amount to an element that is not there.
        """
        moved = self._moved(codes, rng)
        if self._prices is not None:
            for _ in range(ATTEMPTS):
                rows = np.flatnonzero(~self.in_bounds(moved))
                if not len(rows):
                    return moved
                moved[rows] = self._moved(codes[rows], rng)
            is_bad = ~self.in_bounds(moved)
            moved[is_bad] = codes[is_bad]
        return moved

    def _moved(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """Return codes one move away, whatever they cost."""
        moved = codes.copy()
        kind = rng.random(len(codes))
        steps = (self._shift, self._exchange, self._replace)
        wanted = np.digitize(kind, [P_SHIFT, P_SHIFT + P_EXCHANGE])
        for first in range(len(steps)):
            rows: IntArray = np.flatnonzero(wanted == first)
            for step in (steps[first], *(other for other in steps if other is not steps[first])):
                if len(rows):
                    rows = step(moved, rows, rng)
        return moved

    def crossover(self, a: IntArray, b: IntArray, rng: np.random.Generator) -> IntArray:
        """Return a blend of each pair in a random proportion, rounded to whole parts.

        Where a blend has too many elements, or too few, the child is the first parent with one
        move made.
        """
        share = rng.random((len(a), 1))
        child = whole_parts((share * a + (1 - share) * b) / self._n_parts, self._n_parts)
        is_bad = ~self.in_bounds(child)
        child[is_bad] = self.mutate(a[is_bad], rng)
        return child

    def neighbouring_compositions(self, code: IntArray, rng: np.random.Generator) -> IntArray:
        """Return the compositions with 200, 100, 50, … 1 thousandths of one element, a part at
        least, given to another; all that it has if these are fewer."""
        pairs = list(permutations(range(len(code)), 2))
        found = []
        for size in dict.fromkeys(
            max(1, round(step * self._n_parts / FRACTION_STEPS)) for step in COMPOSITION_STEPS
        ):
            for place in rng.permutation(len(pairs)):
                old, new = pairs[place]
                amount = min(size, int(code[old] - self._low[old]))
                other = code.copy()
                other[[old, new]] += [-amount, amount]
                if amount:
                    found.append(other)
        codes = np.array(found, dtype=np.int64).reshape(-1, len(code))
        _, first = np.unique(codes, axis=0, return_index=True)
        codes = codes[np.sort(first)]
        return codes[self.in_bounds(codes)]

    def distance(self, codes: IntArray, other: IntArray) -> IntArray:
        """Return the number of parts that belong to another element."""
        return np.abs(codes - other).sum(axis=-1) // 2

    def fractions(self, codes: IntArray) -> FloatArray:
        """Return the atomic fractions of the elements, shape (n, elements)."""
        parts = codes.astype(np.float64)
        found: FloatArray = parts / parts.sum(axis=1, keepdims=True)
        return found

    def in_bounds(self, codes: IntArray) -> BoolArray:
        """Return whether the parts keep the bounds and the number of elements, shape (n,)."""
        number = np.count_nonzero(codes, axis=1)
        is_within = ((codes >= self._low) & (codes <= self._high)).all(axis=1)
        is_whole = codes.sum(axis=1) == self._n_parts
        if self._prices is not None:
            is_within &= codes @ self._prices <= PRICE_SLACK * self._n_parts
        return is_within & is_whole & (number >= self._fewest) & (number <= self._most)

    def changes(self, parent: IntArray, code: IntArray) -> tuple[Change, ...]:
        """Return the elements whose amount is another, with their fractions."""
        return tuple(
            (self._elements[i], f"{code[i] / self._n_parts:.3f}")
            for i in np.flatnonzero(parent != code)
        )

    def apply(self, parent: IntArray, changes: Sequence[Change]) -> IntArray:
        """Return the code that recorded changes make of a parent's, shape (elements,)."""
        code = parent.copy()
        for symbol, fraction in changes:
            try:
                code[self._elements.index(symbol)] = round(self._n_parts * float(fraction))
            except ValueError as error:
                raise MaterialError(f"no composition has {fraction!r} of {symbol}") from error
        return code

    def _fractions(self, material: Material) -> list[float]:
        composition = composition_of(material)
        if stray := sorted({el.symbol for el in composition.elements} - set(self._elements)):
            raise MaterialError(
                f"contains {', '.join(stray)}; the space has {', '.join(self._elements)}",
                where=formula_of(material),
            )
        return [float(composition[symbol]) for symbol in self._elements]

    def _draw_freely(self, n: int, rng: np.random.Generator) -> IntArray:
        """Draw codes that may break the upper bounds, shape (n, elements)."""
        number = rng.integers(self._fewest, self._most + 1, size=n)
        keys = rng.random((n, len(self._elements))) - (self._low > 0)  # what is needed comes first
        is_in = keys.argsort(axis=1).argsort(axis=1) < number[:, None]
        shares = rng.exponential(size=keys.shape) * is_in  # normalised: uniform on the simplex
        free = self._n_parts - self._low.sum()
        parts = self._low + np.floor(free * shares / shares.sum(axis=1, keepdims=True))
        last, _ = choose(is_in, rng)
        parts[np.arange(n), last] += self._n_parts - parts.sum(axis=1)
        parts[np.count_nonzero(parts, axis=1) != number] = 0  # one vanished: drawn in vain
        return parts.astype(np.int64)

    def _shift(self, codes: IntArray, rows: IntArray, rng: np.random.Generator) -> IntArray:
        """Shift an amount from one element to another; return the rows whose bounds forbid it."""
        parts = codes[rows]
        number = np.count_nonzero(parts, axis=1)
        is_present = parts > 0
        # An element may vanish, or another appear, where the number of elements allows it.
        may_vanish = (number > self._fewest)[:, None, None] | ~is_present[:, None, :]
        may_appear = is_present | (number < self._most)[:, None]
        to_give = (parts - self._low)[:, :, None] - (
            is_present[:, :, None] & ~may_vanish & (self._low == 0)[None, :, None]
        )
        to_take = np.where(may_appear, self._high - parts, 0)[:, None, :]
        largest = np.minimum(to_give, to_take)
        largest[:, range(len(self._elements)), range(len(self._elements))] = 0
        (giver, taker), is_able = choose_place(largest > 0, rng)
        largest_shift = int(LARGEST_SHIFT * self._n_parts)
        amount = np.floor(np.exp(rng.uniform(0, np.log(largest_shift + 1), size=len(rows))))
        amount = np.minimum(amount.astype(np.int64), largest[np.arange(len(rows)), giver, taker])
        able = rows[is_able]
        codes[able, giver[is_able]] -= amount[is_able]
        codes[able, taker[is_able]] += amount[is_able]
        return rows[~is_able]

    def _exchange(self, codes: IntArray, rows: IntArray, rng: np.random.Generator) -> IntArray:
        """Exchange the amounts of two elements; return the rows whose bounds forbid it."""
        parts = codes[rows]
        fits = (parts[:, None, :] >= self._low[:, None]) & (
            parts[:, None, :] <= self._high[:, None]
        )
        is_present = parts > 0
        pairs = fits & fits.transpose(0, 2, 1) & (parts[:, :, None] != parts[:, None, :])
        pairs &= is_present[:, :, None] & is_present[:, None, :]
        return self._swap(codes, rows, pairs, rng)

    def _replace(self, codes: IntArray, rows: IntArray, rng: np.random.Generator) -> IntArray:
        """Give an element's amount to one that is not there; return the rows whose bounds forbid
        it."""
        parts = codes[rows]
        gone = (parts > 0) & (self._low == 0)
        pairs = gone[:, :, None] & (parts == 0)[:, None, :]
        pairs &= parts[:, :, None] <= self._high[None, None, :]
        return self._swap(codes, rows, pairs, rng)

    def _swap(
        self, codes: IntArray, rows: IntArray, pairs: BoolArray, rng: np.random.Generator
    ) -> IntArray:
        (i, j), is_able = choose_place(pairs, rng)
        able, i, j = rows[is_able], i[is_able], j[is_able]
        codes[able, i], codes[able, j] = codes[able, j], codes[able, i]
        return rows[~is_able]


def rounded(materials: Sequence[Material], space: AnySpace) -> list[Material]:
    """Return materials with fractions in whole steps, where the space of alloys has a step of its
    own; others as they are."""
    if not isinstance(space, Compositions) or space.n_parts == FRACTION_STEPS:
        return list(materials)
    fractions = [
        [float(composition_of(material)[symbol]) for symbol in space.elements]
        for material in materials
    ]
    parts = whole_parts(np.array(fractions).reshape(-1, len(space.elements)), space.n_parts)
    return CompositionMoves(space).decode(parts)


def whole_parts(fractions: np.ndarray, n_parts: int = FRACTION_STEPS) -> IntArray:
    """Return fractions that sum to one, shape (n, e), as whole parts of so many that do so too.

    Each is rounded down or up: those with the largest remainders up.
    """
    exact = n_parts * fractions
    parts = np.floor(exact + 1e-9)
    missing = n_parts - parts.sum(axis=1, keepdims=True)
    order = (parts - exact).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return (parts + (order < missing)).astype(np.int64)
