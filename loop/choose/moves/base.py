"""The interface of codes and moves, the same for every kind of space."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from alloop.materials import Material

IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

Change = tuple[str, str]
"""One difference between a material and its parent: the part that is set, and what it is set to."""


class Moves(Protocol):
    """Codes of materials and the moves between them, for one kind of space.

    Rows of codes are materials. What is in bounds stays in bounds under every move; a code from
    outside (a material that a person reported) may be given, and its moves may be outside too.
    """

    def encode(self, materials: Sequence[Material]) -> IntArray:
        """Return integer codes, shape (n, k).

        Raises:
            MaterialError: if a material has no code in this space.
        """

    def decode(self, codes: IntArray) -> list[Material]:
        """Return the unrelaxed material of each row, shape (n, k)."""

    def draw(self, n: int, rng: np.random.Generator) -> IntArray:
        """Draw n codes at random, in bounds, shape (n, k).

        Raises:
            MaterialError: if the bounds are too tight to be hit.
        """

    def mutate(self, codes: IntArray, rng: np.random.Generator) -> IntArray:
        """Return codes one random move away from each row, in bounds, shape (n, k).

        A row that no move leads away from is returned as it is.
        """

    def crossover(self, a: IntArray, b: IntArray, rng: np.random.Generator) -> IntArray:
        """Return a child of each pair of rows, in bounds, shape (n, k)."""

    def neighbouring_compositions(self, code: IntArray, rng: np.random.Generator) -> IntArray:
        """Return codes of the compositions around one code, shape (k,), in bounds, shape (n, k).

        They come in large steps of composition first; those of one step are in random order.
        """

    def distance(self, codes: IntArray, other: IntArray) -> IntArray:
        """Return how far rows are apart, in the space's own unit of change.

        Args:
            codes: shape (…, k).
            other: shape (…, k); leading axes are broadcast, so that ``codes[:, None]`` and
                ``other[None]`` give all pairs.
        """

    def fractions(self, codes: IntArray) -> FloatArray:
        """Return the atomic fractions of the space's elements, in their order, shape (n, m)."""

    def in_bounds(self, codes: IntArray) -> BoolArray:
        """Return whether each row keeps the bounds of the space, shape (n,)."""

    def changes(self, parent: IntArray, code: IntArray) -> tuple[Change, ...]:
        """Return what makes one code, shape (k,), of another; ``apply`` undoes it."""

    def apply(self, parent: IntArray, changes: Sequence[Change]) -> IntArray:
        """Return the code, shape (k,), that recorded changes make of a parent's.

        Raises:
            MaterialError: if a change names what this space does not have.
        """
