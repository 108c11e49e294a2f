"""The moves of a space."""

from collections.abc import Mapping

from alloop.loop.choose.moves.base import Moves
from alloop.loop.choose.moves.compositions import CompositionMoves
from alloop.loop.choose.moves.decorations import DecorationMoves
from alloop.loop.choose.moves.structures import Shares, StructureMoves
from alloop.materials import Material
from alloop.space import AnySpace, Compositions, Decorations, Structures


def moves_of(
    space: AnySpace,
    known: Mapping[str, Material],
    *,
    compositions: frozenset[Shares] | None = None,
) -> Moves:
    """Return the moves of a space.

    Args:
        space: any kind.
        known: materials by id, in a fixed order; in a space of structures, those whose frames may
            be filled with other elements. The other kinds need none.
        compositions: of crystals, where these alone can be measured: those of a table's rows.
            AFLOW's prototypes are then left out.

    Raises:
        MaterialError: if nothing is known of a space of structures that could be filled.
    """
    match space:
        case Decorations():
            return DecorationMoves(space)
        case Compositions():
            return CompositionMoves(space)
        case Structures():
            return StructureMoves(space, known, compositions=compositions)
