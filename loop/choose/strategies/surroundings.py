"""What lies around measured candidates: one move away in the space, or nearest in the table."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from alloop.errors import MaterialError
from alloop.loop.choose.candidate_pool import available_rows
from alloop.loop.choose.draft import Draft
from alloop.loop.choose.moves.base import IntArray, Moves
from alloop.loop.choose.moves.of_space import moves_of
from alloop.loop.choose.rows.rows import compositions_of_rows
from alloop.loop.choose.screening import Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Lineage, Measured, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.pareto import best_first
from alloop.materials import Material, composition_of
from alloop.space import Structures

FIRST = (Stage.INITIAL, Stage.BROUGHT)
"""Stages of the labels that there are before the first round."""
CHUNK = 32
"""Number of candidates at one distance, in moves; where all of them are measured, those farther
away are looked at."""
CHUNKS = 8
"""Largest distance in moves, after which a neighbourhood is given up as exhausted."""
NEAREST = 8
"""Number of table rows among which the next is drawn, nearest first."""


MaterialOf = Callable[[str], Material]
"""From a candidate's id to its material."""


class Surroundings(Protocol):
    """Candidates near those that were measured, as drafts with their lineage.

    All are finite, and in an order that the generator of random numbers decides; what was measured
    already may be among them.
    """

    def has(self, candidate: str) -> bool:
        """Return whether a measured candidate can be moved from."""

    def near(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield candidates around a measured one, the nearer first."""

    def between(self, first: str, second: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield children of two measured candidates."""

    def compositions(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield neighbouring compositions of a measured candidate, in large steps first."""


def surroundings_of(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, seed: int
) -> Surroundings:
    """Return the surroundings in the campaign's space or, if it chooses from one, its table.

    Raises:
        RunError: if the table is not the one that the campaign began with.
        MaterialError: if nothing is known of a space of structures that could be filled.
    """
    if state.spec.acquisition.candidates == "table":
        rows = available_rows(state, seen)
        return TableSurroundings(state.spec.space.elements, store.get_material, rows)
    known = {}
    if isinstance(state.spec.space, Structures):
        known = {m.candidate: store.get_material(m.candidate) for m in state.known_answers()}
    moves = moves_of(state.spec.space, known, compositions=compositions_of_rows(state))
    return SpaceSurroundings(moves, store.get_material, seed)


class SpaceSurroundings:
    """Candidates that moves lead to.

    Args:
        moves: of the space.
        material_of: gives a measured material by its candidate id.
        seed: recorded with every draft.
    """

    def __init__(self, moves: Moves, material_of: MaterialOf, seed: int) -> None:
        self._moves, self._material_of, self._seed = moves, material_of, seed
        self._codes: dict[str, IntArray | None] = {}

    def has(self, candidate: str) -> bool:
        """Return whether a measured candidate has a code."""
        if candidate not in self._codes:
            try:
                self._codes[candidate] = self._moves.encode([self._material_of(candidate)])[0]
            except MaterialError:  # reported by people, and outside of what moves reach
                self._codes[candidate] = None
        return self._codes[candidate] is not None

    def near(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield candidates one random move away, then two, and so on."""
        return self._drafts(parent, None, lambda codes: codes, rng)

    def between(self, first: str, second: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield crossovers, every other one with a move; then all with one more, and so on."""
        mate = self._code(second)[None]

        def child(codes: IntArray) -> IntArray:
            return self._moves.crossover(codes, np.repeat(mate, len(codes), axis=0), rng)

        return self._drafts(first, second, child, rng)

    def compositions(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield neighbouring compositions, in large steps first."""
        code = self._code(parent)
        for other in self._moves.neighbouring_compositions(code, rng):
            yield self._draft(parent, None, other)

    def _code(self, candidate: str) -> IntArray:
        code = self._codes[candidate] if self.has(candidate) else None
        assert code is not None, "nothing is made of a candidate without a code"
        return code

    def _drafts(
        self,
        parent: str,
        mate: str | None,
        change: Callable[[IntArray], IntArray],
        rng: np.random.Generator,
    ) -> Iterator[Draft]:
        start = self._code(parent)
        for chunk in range(CHUNKS):
            codes = change(np.repeat(start[None], CHUNK, axis=0))
            for _ in range(chunk + (mate is None)):
                codes = self._moves.mutate(codes, rng)
            if mate is not None:
                codes[::2] = self._moves.mutate(codes[::2], rng)
            for code in codes[self._moves.in_bounds(codes)]:
                if not np.array_equal(code, start):
                    yield self._draft(parent, mate, code)

    def _draft(self, parent: str, mate: str | None, code: IntArray) -> Draft:
        lineage = Lineage(
            source="moved",
            parent=parent,
            mate=mate,
            moves=self._moves.changes(self._code(parent), code),
            seed=self._seed,
        )
        return Draft(self._moves.decode(code[None])[0], lineage)


class TableSurroundings:
    """Rows of a table that are not measured yet, the nearest by composition first.

    Args:
        elements: of the space.
        material_of: gives a measured material by its candidate id.
        rows: that can still be chosen.
    """

    def __init__(
        self, elements: Sequence[str], material_of: MaterialOf, rows: Sequence[Draft]
    ) -> None:
        self._elements, self._material_of, self._rows = elements, material_of, rows
        self._places = np.array([_fractions(row.material, elements) for row in rows])

    def has(self, candidate: str) -> bool:
        """Return that any measured candidate has a composition to look around."""
        return True

    def near(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield rows around a measured one: always one of the ``NEAREST`` that are left."""
        return self._around(self._place(parent), parent, None, rng)

    def between(self, first: str, second: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield rows around a random place between two measured ones."""
        share = rng.random()
        place = share * self._place(first) + (1 - share) * self._place(second)
        return self._around(place, first, second, rng)

    def compositions(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield the rows of nearest composition, the nearest first."""
        for row in self._by_distance(self._place(parent), rng):
            yield self._draft(row, parent, None)

    def _place(self, candidate: str) -> np.ndarray:
        return _fractions(self._material_of(candidate), self._elements)

    def _around(
        self, place: np.ndarray, parent: str, mate: str | None, rng: np.random.Generator
    ) -> Iterator[Draft]:
        left = self._by_distance(place, rng)
        while left:
            yield self._draft(left.pop(int(rng.integers(min(NEAREST, len(left))))), parent, mate)

    def _by_distance(self, place: np.ndarray, rng: np.random.Generator) -> list[int]:
        if not self._rows:
            return []
        order = rng.permutation(len(self._rows))  # so that equals come in any order
        distances = np.abs(self._places - place).sum(axis=1)[order]
        return order[distances.argsort(kind="stable")].tolist()

    def _draft(self, row: int, parent: str, mate: str | None) -> Draft:
        draft = self._rows[row]
        lineage = Lineage(source="table", row=draft.lineage.row, parent=parent, mate=mate)
        return Draft(draft.material, lineage)


def _fractions(material: Material, elements: Sequence[str]) -> np.ndarray:
    composition = composition_of(material)
    return np.array([float(composition[symbol]) for symbol in elements])


def first_labels(state: CampaignState, surroundings: Surroundings) -> list[Measured]:
    """Return the labels of the first batch, and those that were brought, the best first: of each
    that can be moved from."""
    answers = [m for m in state.known_answers() if m.round == 0 and m.stage in FIRST]
    return [m for m in best_first(state, answers) if surroundings.has(m.candidate)]
