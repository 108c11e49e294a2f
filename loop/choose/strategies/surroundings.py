"""What lies around measured candidates: one move away in the space, or nearest in the table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from alloop.errors import MaterialError
from alloop.loop.choose.candidate_pool import available_rows
from alloop.loop.choose.draft import Draft
from alloop.loop.choose.moves.base import IntArray, Moves
from alloop.loop.choose.moves.of_space import moves_of
from alloop.loop.choose.screening import Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Lineage, Measured
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material, composition_of

CHUNK = 16
"""Number of moves made at a time."""
CHUNKS = 16
"""Number of chunks after which a neighbourhood is given up as exhausted."""
CHUNKS_PER_MOVE = 4
"""Number of chunks after which candidates are one move farther away: what is near is measured."""
NEAREST = 8
"""Number of table rows among which the next is drawn, nearest first."""


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
    answers = state.answers()
    materials = {m.candidate: store.get_material(m.candidate) for m in answers}
    if state.spec.acquisition.candidates == "table":
        rows = available_rows(state, seen)
        return TableSurroundings(state.spec.space.elements, materials, rows)
    return SpaceSurroundings(moves_of(state.spec.space, materials), materials, seed)


class SpaceSurroundings:
    """Candidates that moves lead to.

    Args:
        moves: of the space.
        materials: measured materials by candidate id.
        seed: recorded with every draft.
    """

    def __init__(self, moves: Moves, materials: Mapping[str, Material], seed: int) -> None:
        self._moves, self._seed = moves, seed
        self._codes: dict[str, IntArray] = {}
        for candidate, material in materials.items():
            try:
                self._codes[candidate] = moves.encode([material])[0]
            except MaterialError:
                continue  # reported by people, and outside of what moves reach

    def has(self, candidate: str) -> bool:
        """Return whether a measured candidate has a code."""
        return candidate in self._codes

    def near(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield candidates one random move away, later two, three and four."""
        return self._drafts(parent, None, lambda codes: codes, rng)

    def between(self, first: str, second: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield crossovers, every other one with a move; later ones with more."""
        mate = self._codes[second][None]

        def child(codes: IntArray) -> IntArray:
            return self._moves.crossover(codes, np.repeat(mate, len(codes), axis=0), rng)

        return self._drafts(first, second, child, rng)

    def compositions(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield neighbouring compositions, in large steps first."""
        code = self._codes[parent]
        for other in self._moves.neighbouring_compositions(code, rng):
            yield self._draft(parent, None, other)

    def _drafts(
        self,
        parent: str,
        mate: str | None,
        change: Callable[[IntArray], IntArray],
        rng: np.random.Generator,
    ) -> Iterator[Draft]:
        start = self._codes[parent]
        for chunk in range(CHUNKS):
            codes = change(np.repeat(start[None], CHUNK, axis=0))
            n_moves = chunk // CHUNKS_PER_MOVE + (mate is None)
            for _ in range(n_moves):
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
            moves=self._moves.changes(self._codes[parent], code),
            seed=self._seed,
        )
        return Draft(self._moves.decode(code[None])[0], lineage)


class TableSurroundings:
    """Rows of a table that are not measured yet, the nearest by composition first.

    Args:
        elements: of the space.
        materials: measured materials by candidate id.
        rows: that can still be chosen.
    """

    def __init__(
        self, elements: Sequence[str], materials: Mapping[str, Material], rows: Sequence[Draft]
    ) -> None:
        self._rows = rows
        self._places = np.array([_fractions(row.material, elements) for row in rows])
        self._known = {id: _fractions(material, elements) for id, material in materials.items()}

    def has(self, candidate: str) -> bool:
        """Return whether a candidate is measured."""
        return candidate in self._known

    def near(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield rows around a measured one: always one of the ``NEAREST`` that are left."""
        return self._around(self._known[parent], parent, None, rng)

    def between(self, first: str, second: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield rows around a random place between two measured ones."""
        share = rng.random()
        place = share * self._known[first] + (1 - share) * self._known[second]
        return self._around(place, first, second, rng)

    def compositions(self, parent: str, rng: np.random.Generator) -> Iterator[Draft]:
        """Yield the rows of nearest composition, the nearest first."""
        for row in self._by_distance(self._known[parent], rng):
            yield self._draft(row, parent, None)

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
    """Return the labels of the first batch that can be moved from, the best first."""
    answers = [m for m in state.answers() if m.round == 0 and surroundings.has(m.candidate)]
    return best_first(state, answers)


def best_first(state: CampaignState, answers: Sequence[Measured]) -> list[Measured]:
    """Return measurements best first; of equals the earlier comes first."""
    return sorted(answers, key=lambda m: state.utility.rank(m.properties), reverse=True)
