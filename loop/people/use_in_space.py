"""What a campaign can make of a material that it did not propose itself."""

from typing import Literal

from alloop.errors import MaterialError
from alloop.loop.choose.moves.base import Moves
from alloop.loop.choose.moves.of_space import moves_of
from alloop.loop.choose.screening import RULES
from alloop.materials import Material
from alloop.space import AnySpace, Structures

Use = Literal["space", "learning", "kept"]
"""See ``BroughtLabel.use``."""

_BEYOND_DESCRIPTION = ("elements",)
"""Rules that what a surrogate can describe has to keep."""


class SpaceUse:
    """Judge of materials from elsewhere, for one space."""

    def __init__(self, space: AnySpace) -> None:
        self.space = space
        # Moves between crystals are made of known ones; whatever is small enough can be described.
        self._moves: Moves | None = None if isinstance(space, Structures) else moves_of(space, {})

    def of(self, material: Material) -> tuple[Use, str]:
        """Return the use of a material, and why the space does not hold it."""
        try:
            rejections = [found for rule in RULES if (found := rule(material, self.space))]
            if self._moves is not None:
                self._moves.encode([material])
        except MaterialError as error:
            return "kept", error.what
        if not rejections:
            return "space", ""
        hard = {*_BEYOND_DESCRIPTION, *(("size",) if isinstance(self.space, Structures) else ())}
        refused = next((r for r in rejections if r.rule in hard), None)
        if refused is not None:
            return "kept", refused.reason
        return "learning", rejections[0].reason
