"""The descriptors that a surrogate may be chosen over, for each kind of space."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from alloop.loop.choose.moves.base import IntArray, Moves
from alloop.loop.choose.search.base import Descriptors, FloatArray
from alloop.materials import Material, composition_of
from alloop.models.base import GenerativeModel, HasEmbedding
from alloop.models.lattice.clusters import ClusterDescriptors
from alloop.models.lattice.decorations import DecorationSpace
from alloop.space import AnySpace, Compositions, Decorations

N_ORDER_SHELLS = 3
"""Number of shells of pairs where few descriptors are wanted."""
CHEAP_ROWS, EMBEDDED_ROWS = 30_000, 3_000
"""Candidates described in a round: by array operations, or by a model's encoder."""


class ClusterCorrelations:
    """Cluster correlations of decorations (``alloop.models.lattice.clusters``)."""

    name = "correlations"
    rows_per_round = CHEAP_ROWS

    def __init__(self, space: Decorations) -> None:
        self._space = DecorationSpace.of(
            space.elements, space.lattices, space.atoms, space.count_bounds()
        )

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Numbers of descriptors of composition and lattice, of pairs and of triangles."""
        return self._describe.group_sizes

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the descriptors of codes of ``DecorationMoves``."""
        return self._describe(codes[:, 1:], codes[:, 0])

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the descriptors of decorations, relaxed or not."""
        return self._describe(*self._space.read(materials))

    @cached_property
    def _describe(self) -> ClusterDescriptors:
        return ClusterDescriptors(self._space.parents, len(self._space.elements))


class PairOrder:
    """Composition, lattice and the short-range order of three shells: few, so that a surrogate may
    bend along all of them."""

    name = "short-range order"
    rows_per_round = CHEAP_ROWS
    group_sizes = None

    def __init__(self, space: Decorations) -> None:
        self._space = DecorationSpace.of(
            space.elements, space.lattices, space.atoms, space.count_bounds()
        )

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the descriptors of codes of ``DecorationMoves``."""
        return self._describe(codes[:, 1:], codes[:, 0])

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the descriptors of decorations, relaxed or not."""
        return self._describe(*self._space.read(materials))

    @cached_property
    def _describe(self) -> ClusterDescriptors:
        return ClusterDescriptors(
            self._space.parents,
            len(self._space.elements),
            n_shells=N_ORDER_SHELLS,
            triangles=False,
            shared=True,
        )


class Fractions:
    """Atomic fractions of the space's elements."""

    name = "fractions"
    rows_per_round = CHEAP_ROWS
    group_sizes = None

    def __init__(self, space: Compositions) -> None:
        self._elements = space.elements

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the fractions of codes of ``CompositionMoves``."""
        parts = codes.astype(np.float64)
        fractions: FloatArray = parts / parts.sum(axis=1, keepdims=True)
        return fractions

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the fractions of alloys or of crystals."""
        compositions = [composition_of(material) for material in materials]
        return np.array([[float(c[symbol]) for symbol in self._elements] for c in compositions])


class Embedding:
    """The model's embedding: a deep kernel, for the surrogate over it.

    Args:
        model: fitted.
        moves: of the space, to make materials of codes; None where nothing is climbed.
    """

    name = "embedding"
    rows_per_round = EMBEDDED_ROWS
    group_sizes = None

    def __init__(self, model: GenerativeModel, moves: Moves | None) -> None:
        self._model, self._moves = model, moves

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the embedding of the materials that codes stand for."""
        assert self._moves is not None
        return self.of_materials(self._moves.decode(codes))

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the embedding of materials."""
        with torch.no_grad():
            latents = self._model.encode(materials).double()
            if isinstance(self._model, HasEmbedding):
                latents = self._model.embed(latents)
        embedded: FloatArray = latents.numpy()
        return embedded


def descriptors_of(
    space: AnySpace, model: GenerativeModel, moves: Moves | None
) -> tuple[Descriptors, ...]:
    """Return the descriptors to choose from, the cheaper first."""
    embedding = Embedding(model, moves)
    match space:
        case Decorations():
            return (ClusterCorrelations(space), PairOrder(space), embedding)
        case Compositions():
            return (Fractions(space), embedding)
        case _:
            return (embedding,)
