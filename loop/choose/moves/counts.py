"""Numbers of atoms of each species: drawn, changed in steps that keep rules, and mended."""

from collections.abc import Iterator

import numpy as np

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import BoolArray, IntArray
from alloop.loop.choose.moves.sampling import choose
from alloop.models.lattice.decorations import DecorationSpace, SitesOf

ROWS_AT_ONCE = 256
"""Number of rows whose possible steps are looked at together."""


class CountDraws:
    """Draws of counts on one sublattice, all allowed ones equally probable."""

    def __init__(self, sublattice: SitesOf) -> None:
        self._n_sites, self._n_species = sublattice.n_sites, len(sublattice.species)
        low, high = np.array(sublattice.bounds).T
        counts = np.arange(self._n_sites + 1)
        within = (counts >= low[:, None]) & (counts <= high[:, None])
        # How probable a count or a smaller one is, for each species and rest: (e, rest, count)
        self._cumulative = np.cumsum(self._weights(within), axis=-1)

    def ordered(self, n: int, rng: np.random.Generator) -> IntArray:
        """Return n decorations with the species in order, as places among the sublattice's,
        shape (n, sites)."""
        rest = np.full(n, self._n_sites)
        ordered = np.zeros((n, self._n_sites), dtype=np.int64)
        for species in range(self._n_species):
            cumulative = self._cumulative[species][rest]
            drawn = rng.random(n) * cumulative[:, -1]
            counts = (cumulative > drawn[:, None]).argmax(axis=1)
            # The last `rest` sites are not filled yet: those behind this one's hold the next.
            rest = rest - counts
            ordered += np.arange(self._n_sites) >= (self._n_sites - rest)[:, None]
        return ordered

    def _weights(self, within: BoolArray) -> np.ndarray:
        """Return the number of ways in which a species can have a count and the later ones fill
        what is left, shape (species, 1 + rest, 1 + count); floats, as there may be many.
        """
        n = self._n_sites + 1
        ways = np.eye(1, n)[0]
        weights = np.zeros((self._n_species, n, n))
        for species in reversed(range(self._n_species)):
            for rest in range(n):
                weights[species, rest, : rest + 1] = ways[rest::-1] * within[species, : rest + 1]
            ways = weights[species].sum(axis=1)
        return weights


class CountMoves:
    """Changes of counts that keep the rules of charge and of numbers of elements."""

    def __init__(self, space: DecorationSpace) -> None:
        self._space, self._rules = space, space.rules

    def step(self, codes: IntArray, rows: IntArray, rng: np.random.Generator) -> IntArray:
        """Change the counts of these rows by a step at random; return the rows that have none."""
        unable = [rows[:0]]
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            counts = self._space.counts(codes[part, 1:])
            near = counts[:, None] + self._rules.steps  # (n, m, k)
            allowed = self._rules.allows(near.reshape(-1, near.shape[-1])).reshape(near.shape[:2])
            chosen, is_able = choose(allowed, rng)
            for row, place in zip(part[is_able], np.flatnonzero(is_able), strict=True):
                self._give(codes[row], near[place, chosen[place]], rng)
            unable.append(part[~is_able])
        return np.concatenate(unable)

    def mended(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """Return codes with counts that keep the rules, by as few changes as a descent finds.

        Raises:
            MaterialError: if it finds none for a row, nor for any row drawn in its place.
        """
        mended = codes.copy()
        counts = self._space.counts(codes[:, 1:])
        for row in np.flatnonzero(~self._rules.allows(counts)):
            allowed = self._rules.nearest_allowed(counts[row])
            if allowed is None:
                mended[row, 1:] = self._space.draw(1, rng)[0][0]
            else:
                self._give(mended[row], allowed, rng)
        return mended

    def neighbours(self, code: IntArray, rng: np.random.Generator) -> Iterator[IntArray]:
        """Yield the code with each step that the rules allow, the larger first."""
        counts = self._space.counts(code[None, 1:])[0]
        near = counts + self._rules.steps
        near = near[self._rules.allows(near)]
        near = near[rng.permutation(len(near))]
        for wanted in near[np.argsort(-np.abs(near - counts).sum(axis=1), kind="stable")]:
            other = code.copy()
            self._give(other, wanted, rng)
            yield other

    def _give(self, code: IntArray, wanted: IntArray, rng: np.random.Generator) -> None:
        """Change species at random sites of a row, in place, until it has the counts."""
        for one, counts in zip(self._space.sublattices, self._space.split(wanted), strict=True):
            atoms = code[1:][one.sites]
            free: list[int] = []
            short: list[int] = []
            for species, count in zip(one.species, counts, strict=True):
                sites = np.flatnonzero(atoms == species)
                if len(sites) > count:
                    free += rng.choice(sites, len(sites) - count, replace=False).tolist()
                short += [species] * (int(count) - len(sites))
            if len(free) != len(short):
                raise MaterialError(f"{len(free)} sites cannot become {len(short)}")
            atoms[free] = rng.permutation(np.array(short, dtype=np.int64))
