"""The descriptors that a surrogate may be chosen over, for each kind of space."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from alloop.loop.choose.moves.base import FloatArray, IntArray, Moves
from alloop.loop.choose.search.base import CHEAP_ROWS, Descriptors
from alloop.loop.choose.search.crystal_statistics import describe_crystals
from alloop.materials import Material, composition_of
from alloop.models.base import GenerativeModel, HasEmbedding
from alloop.models.lattice.clusters import ClusterDescriptors
from alloop.models.lattice.decorations import DecorationSpace
from alloop.space import AnySpace, Compositions, Decorations

N_ORDER_SHELLS = 3
"""Number of shells of pairs where few descriptors are wanted."""
EMBEDDED_ROWS = 3_000
"""Candidates described in a round one by one, or by a model's encoder."""


class OrderingDescriptors:
    """Cluster descriptors of decorations (``alloop.models.lattice.clusters``).

    Args:
        space: of the decorations.
        name: for people and for the ledger.
        bends_together: whether a property may bend along all of them: they count as one kind.
        options: of ``ClusterDescriptors``.
    """

    rows_per_round = CHEAP_ROWS

    def __init__(
        self, space: Decorations, name: str, *, bends_together: bool = False, **options: Any
    ) -> None:
        self.name = name
        self._space = DecorationSpace.of_space(space)
        self._bends_together, self._options = bends_together, options

    @property
    def group_sizes(self) -> tuple[int, ...] | None:
        """Numbers of descriptors of composition and lattice, of pairs and of triangles."""
        return None if self._bends_together else self._describe.group_sizes

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the descriptors of codes of ``DecorationMoves``."""
        return self._describe(codes[:, 1:], codes[:, 0])

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the descriptors of decorations, relaxed or not."""
        return self._describe(*self._space.read(materials))

    @cached_property
    def _describe(self) -> ClusterDescriptors:
        species = [one.species for one in self._space.sublattices]
        return ClusterDescriptors(
            self._space.parents, len(self._space.species), species=species, **self._options
        )


def correlations(space: Decorations) -> OrderingDescriptors:
    """Return the correlations of pairs and triangles, each kind by itself."""
    return OrderingDescriptors(space, "correlations")


def short_range_order(space: Decorations) -> OrderingDescriptors:
    """Return composition, lattice and the short-range order of three shells: few, so that a
    surrogate may bend along all of them."""
    return OrderingDescriptors(
        space,
        "short-range order",
        bends_together=True,
        n_shells=N_ORDER_SHELLS,
        triangles=False,
        shared=True,
    )


class Fractions:
    """Atomic fractions of elements.

    Args:
        elements: of the space.
        moves: of the space, whose codes are asked for; None where there are only materials.
    """

    name = "fractions"
    rows_per_round = CHEAP_ROWS
    group_sizes = None

    def __init__(self, elements: Sequence[str], moves: Moves | None) -> None:
        self._elements, self._moves = elements, moves

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the fractions of codes, shape (n, elements)."""
        assert self._moves is not None
        return self._moves.fractions(codes)

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the fractions of alloys or of crystals."""
        compositions = [composition_of(material) for material in materials]
        return np.array([[float(c[symbol]) for symbol in self._elements] for c in compositions])


class OfMaterials:
    """Descriptors of materials one by one, and of codes by way of the materials they stand for.

    Args:
        moves: of the space, to make materials of codes; None where nothing is climbed.
    """

    rows_per_round = EMBEDDED_ROWS
    group_sizes = None

    def __init__(self, moves: Moves | None) -> None:
        self._moves = moves

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the descriptors of the materials that codes stand for."""
        assert self._moves is not None
        return self.of_materials(self._moves.decode(codes))

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the descriptors of materials."""
        raise NotImplementedError


class CrystalStatistics(OfMaterials):
    """Statistics of a crystal's elements and of its packing (``crystal_statistics``)."""

    name = "statistics"

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the descriptors of crystals."""
        return describe_crystals(materials)


class Embedding(OfMaterials):
    """The model's embedding: a deep kernel, for the surrogate over it.

    Args:
        model: fitted.
        moves: as of the base.
    """

    name = "embedding"

    def __init__(self, model: GenerativeModel, moves: Moves | None) -> None:
        super().__init__(moves)
        self._model = model

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the embedding of materials."""
        with torch.no_grad():
            latents = self._model.encode(materials).double()
            if isinstance(self._model, HasEmbedding):
                latents = self._model.embed(latents)
        embedded: FloatArray = latents.numpy()
        return embedded


def descriptors_of(
    space: AnySpace, model: GenerativeModel | None, moves: Moves | None
) -> tuple[Descriptors, ...]:
    """Return the descriptors to choose from, the cheaper first.

    Args:
        space: of the campaign.
        model: fitted; None where there is none, and so no embedding.
        moves: in the space; None where nothing is climbed.
    """
    embedding = () if model is None else (Embedding(model, moves),)
    match space:
        case Decorations():
            return (correlations(space), short_range_order(space), *embedding)
        case Compositions():
            return (Fractions(space.elements, moves), *embedding)
        case _:
            return (CrystalStatistics(moves), *embedding)
