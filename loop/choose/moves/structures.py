"""Moves between crystals: substitutions of an element, exchanges of two, changes of frame."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
from pymatgen.core import Composition, Structure

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import BoolArray, Change, FloatArray, IntArray
from alloop.loop.choose.moves.sampling import choose, draw_in_bounds
from alloop.materials import Material, formula_of
from alloop.parents.rules import PRICE_SLACK
from alloop.space import SLACK, Structures
from alloop.structure_types.aflow import aflow_frames
from alloop.structure_types.frames import Frame, frames_of, symbols_of

Shares = frozenset[tuple[str, float]]
"""Atomic fractions of the elements of a crystal, rounded."""

SHARE_DECIMALS = 4
"""Decimals of ``Shares``."""
P_SUBSTITUTE, P_EXCHANGE = 0.6, 0.2
"""Probabilities of a substitution and of an exchange; the rest are changes of frame."""
ATTEMPTS = 8
"""Number of moves tried for a row until one keeps the bounds of the fractions."""


def shares_of(composition: Composition) -> Shares:
    """Return the shares of a composition whose fractions sum to one."""
    amounts = composition.get_el_amt_dict().items()
    return frozenset((symbol, round(x, SHARE_DECIMALS)) for symbol, x in amounts if x > 0)


class StructureMoves:
    """Moves between crystals of known frames.

    A code is the index of the frame and then, slot by slot, the index of the element; −1 beyond the
    frame's last slot. The unit of distance is a slot that holds another element; another frame
    counts as one slot more than there can be.

    Args:
        space: elements, bounds and the largest cell.
        known: crystals whose frames may be filled, by their id, besides AFLOW's prototypes.
        compositions: that alone lie in bounds, those of a table's rows; AFLOW's prototypes are left
            out then.

    Raises:
        MaterialError: if the space's elements fill no frame within its bounds.
    """

    def __init__(
        self,
        space: Structures,
        known: Mapping[str, Material],
        *,
        compositions: frozenset[Shares] | None = None,
    ) -> None:
        self._compositions = compositions
        self._elements = space.elements
        bounds = np.array([space.bounds(symbol) for symbol in space.elements])
        self._low, self._high = bounds.T
        most_slots = min(len(space.elements), space.max_elements or len(space.elements))
        frames: dict[bytes, Frame] = {}
        for frame in (
            *(aflow_frames(space.max_atoms) if compositions is None else ()),
            *frames_of(known),
        ):
            if len(frame.slots) <= space.max_atoms and frame.n_slots <= most_slots:
                frames.setdefault(frame.key, frame)
        self._frames = tuple(frames.values())
        excess = space.price_excess
        self._prices = np.array([excess.get(el, 0.0) for el in space.elements])

        if not self._frames:
            raise MaterialError(
                f"no known structure can be made of {', '.join(space.elements)} with "
                f"{space.max_atoms} atoms",
                remedy="List more elements, or allow more atoms.",
            )
        self._by_key = {frame.key: place for place, frame in enumerate(self._frames)}
        self._n_slots = np.array([frame.n_slots for frame in self._frames])
        self._width = int(self._n_slots.max())
        alike = np.bincount(self._n_slots)
        alike[1] *= self._width == 1
        self._chances = np.where(alike > 0, 1 / np.maximum(alike, 1), 0.0)[self._n_slots]
        self._chances /= self._chances.sum()
        shares = np.zeros((len(self._frames), self._width))
        for row, frame in enumerate(self._frames):
            shares[row, : frame.n_slots] = frame.multiplicities / len(frame.slots)
        self._shares_of_slots = shares

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Frames, in the order of the codes' first column."""
        return self._frames

    def encode(self, materials: Sequence[Material]) -> IntArray:
        """Return frame and element indices, shape (n, 1 + slots).

        Raises:
            MaterialError: if the frame of a material is not known, or an element not listed.
        """
        codes = np.full((len(materials), 1 + self._width), -1, dtype=np.int64)
        for row, material in enumerate(materials):
            codes[row] = self._encode(material)
        return codes

    def decode(self, codes: IntArray) -> list[Material]:
        """Return the crystal of each row, its volume as its frame tells it."""
        return [
            self._frames[code[0]].fill([self._elements[i] for i in code[1:] if i >= 0])
            for code in codes
        ]

    def draw(self, n: int, rng: np.random.Generator) -> IntArray:
        """Draw n codes: the number of elements, the frame and then its elements are uniform.

        Elements by themselves are drawn only where there is nothing else.

        Raises:
            MaterialError: if none of ``MAX_DRAWS`` in succession lies within the bounds.
        """

        def draw_freely(size: int) -> IntArray:
            frames = rng.choice(len(self._frames), size=(size, 1), p=self._chances)
            order = rng.random((size, len(self._elements))).argsort(axis=1)[:, : self._width]
            used = np.arange(self._width) < self._n_slots[frames]
            return np.hstack([frames, np.where(used, order, -1)])

        return draw_in_bounds(draw_freely, self.in_bounds, n, what="crystals")

    def mutate(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """Substitute an element of each row by one it lacks, exchange two, or change the frame for
        another with as many slots."""
        moved, rows = codes.copy(), np.arange(len(codes))
        for _ in range(ATTEMPTS):
            moved[rows] = self._move(codes[rows], rng)
            is_same = (moved[rows] == codes[rows]).all(axis=1)
            is_bad = ~self.in_bounds(moved[rows])
            moved[rows[is_bad]] = codes[rows[is_bad]]
            rows = rows[is_same | is_bad]
            if not len(rows):
                break
        return moved

    def crossover(self, a: IntArray, b: IntArray, rng: np.random.Generator) -> IntArray:
        """Return one parent's frame with, slot by slot, an element of either parent.

        Where that gives an element twice, or breaks the bounds, the child is the first parent with
        one move made.
        """
        has_first = rng.random(len(a)) < 0.5
        child = np.where(has_first[:, None], a, b)
        from_other = (rng.random((len(a), self._width)) < 0.5) & (child[:, 1:] >= 0)
        other = np.where(has_first[:, None], b, a)[:, 1:]
        child[:, 1:] = np.where(from_other & (other >= 0), other, child[:, 1:])
        is_bad = ~self.in_bounds(child)
        child[is_bad] = self.mutate(a[is_bad], rng)
        return child

    def neighbouring_compositions(self, code: IntArray, rng: np.random.Generator) -> IntArray:
        """Return the crystals with one element substituted, then those with two exchanged."""
        slots = range(1, 1 + int(self._n_slots[code[0]]))
        missing = [el for el in range(len(self._elements)) if el not in code[1:]]
        substituted, swapped = [], []
        for slot, element in product(slots, missing):
            other = code.copy()
            other[slot] = element
            substituted.append(other)
        for one, two in combinations(slots, 2):
            other = code.copy()
            other[[one, two]] = code[[two, one]]
            swapped.append(other)
        parts = (substituted, swapped)
        found = [part[place] for part in parts for place in rng.permutation(len(part))]
        codes = np.array(found, dtype=np.int64).reshape(-1, len(code))
        return codes[self.in_bounds(codes)]

    def distance(self, codes: IntArray, other: IntArray) -> IntArray:
        """Return the number of slots that hold another element; on another frame, the number that
        any frame has, and one."""
        slots = (codes[..., 1:] != other[..., 1:]).sum(axis=-1)
        return np.where(codes[..., 0] == other[..., 0], slots, self._width + 1)

    def in_bounds(self, codes: IntArray) -> BoolArray:
        """Return whether elements are all different and within their fractions and price, shape
        (n,)."""
        holds, fractions = self._holds(codes), self.fractions(codes)
        within = (fractions >= self._low - SLACK) & (fractions <= self._high + SLACK)
        is_paid = fractions @ self._prices <= PRICE_SLACK
        passed = within.all(axis=1) & (holds.sum(axis=1) <= 1).all(axis=1) & is_paid
        if self._compositions is not None:
            for row in np.flatnonzero(passed):
                passed[row] = self._shares(fractions[row]) in self._compositions
        return passed

    def _shares(self, fractions: FloatArray) -> Shares:
        """Return the shares of the elements' fractions, shape (elements,)."""
        held = zip(self._elements, fractions.tolist(), strict=True)
        return frozenset((symbol, round(x, SHARE_DECIMALS)) for symbol, x in held if x > 0)

    def fractions(self, codes: IntArray) -> FloatArray:
        """Return the atomic fractions of the elements, shape (n, elements)."""
        found: FloatArray = (
            self._shares_of_slots[codes[:, 0]][:, :, None] * self._holds(codes)
        ).sum(axis=1)
        return found

    def changes(self, parent: IntArray, code: IntArray) -> tuple[Change, ...]:
        """Return the frame, if it is another, and the slots that hold another element."""
        frame = [("frame", self._frames[code[0]].name)] if parent[0] != code[0] else []
        slots = [
            (f"slot {slot}", self._elements[code[1 + slot]])
            for slot in np.flatnonzero(parent[1:] != code[1:])
            if code[1 + slot] >= 0
        ]
        return (*frame, *slots)

    def apply(self, parent: IntArray, changes: Sequence[Change]) -> IntArray:
        """Return the code that recorded changes make of a parent's, shape (1 + slots,)."""
        code, names = parent.copy(), [frame.name for frame in self._frames]
        for part, value in changes:
            try:
                if part == "frame":
                    code[0] = names.index(value)
                    code[1 + self._n_slots[code[0]] :] = -1
                else:
                    slot = int(part.removeprefix("slot "))
                    code[range(1, len(code))[slot]] = self._elements.index(value)
            except (ValueError, IndexError) as error:
                raise MaterialError(f"no crystal here has {value!r} as its {part}") from error
        return code

    def _holds(self, codes: IntArray) -> BoolArray:
        """Return which element each slot holds, shape (n, slots, elements)."""
        found: BoolArray = codes[:, 1:, None] == np.arange(len(self._elements))
        return found

    def _encode(self, material: Material) -> IntArray:
        if not isinstance(material, Structure):
            raise MaterialError(
                "a composition has no sites", where=formula_of(material), remedy="Give a structure."
            )
        frame = self._by_key.get(Frame.of(material, "").key)
        if frame is None:
            raise MaterialError("its frame is not among the known", where=formula_of(material))
        order = list(dict.fromkeys(symbols_of(material)))
        if stray := sorted(set(order) - set(self._elements)):
            raise MaterialError(
                f"contains {', '.join(stray)}; the space has {', '.join(self._elements)}",
                where=formula_of(material),
            )
        code = np.full(1 + self._width, -1, dtype=np.int64)
        code[0] = frame
        code[1 : 1 + len(order)] = [self._elements.index(symbol) for symbol in order]
        return code

    def _move(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """Return one move of each row, which may break the bounds or change nothing."""
        moved, kind = codes.copy(), rng.random(len(codes))
        rows = np.arange(len(codes))
        used = codes[:, 1:] >= 0
        slot, _ = choose(used, rng)
        missing = ~(codes[:, 1:, None] == np.arange(len(self._elements))).any(axis=1)
        substitute, has_missing = choose(missing, rng)
        is_substitution = (kind < P_SUBSTITUTE) & has_missing
        at = rows[is_substitution]
        moved[at, 1 + slot[at]] = substitute[at]

        others = used & (np.arange(self._width) != slot[:, None])
        second, has_second = choose(others, rng)
        is_exchange = (kind >= P_SUBSTITUTE) & (kind < P_SUBSTITUTE + P_EXCHANGE) & has_second
        at = rows[is_exchange]
        moved[at, 1 + slot[at]], moved[at, 1 + second[at]] = (
            codes[at, 1 + second[at]],
            codes[at, 1 + slot[at]],
        )
        alike = self._n_slots[None, :] == self._n_slots[codes[:, 0]][:, None]
        alike[rows, codes[:, 0]] = False
        frame, has_frame = choose(alike, rng)
        at = rows[(kind >= P_SUBSTITUTE + P_EXCHANGE) & has_frame]
        moved[at, 0] = frame[at]
        return moved
