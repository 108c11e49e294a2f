"""What may be proposed: elements and their fractions, and what is made of them.

There are three kinds of space: decorations of parent lattices, crystals of any structure, and
compositions without a structure.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from alloop.space.base import SLACK, CrystalSpace, Space, Symbol
from alloop.space.compositions import Compositions
from alloop.space.decorations import Decorations
from alloop.space.structures import Structures

__all__ = [
    "SLACK",
    "SPACE_KINDS",
    "AnySpace",
    "Compositions",
    "CrystalSpace",
    "Decorations",
    "Space",
    "Structures",
    "Symbol",
]

SPACE_KINDS = ("decorations", "structures", "compositions")
"""The kinds of space."""


def _decorations_unless_said(value: Any) -> Any:
    return {"kind": "decorations", **value} if isinstance(value, dict) else value


AnySpace = Annotated[
    Decorations | Structures | Compositions,
    Field(discriminator="kind"),
    BeforeValidator(_decorations_unless_said),
]
