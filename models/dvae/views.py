"""Which descriptors each part of a head sees: parts that see other things err differently."""

from dataclasses import dataclass
from typing import Self

Columns = tuple[int, ...]
"""Places among the descriptors."""


@dataclass(frozen=True)
class Views:
    """Columns of the descriptors, by part of a head."""

    networks: Columns
    randomised: Columns
    """For bagged committees of extremely randomised trees."""
    forests: Columns | None
    """Every second bagged committee is a random forest that sees these; None: there is none."""
    boosted: tuple[Columns, ...]
    """Boosted committees take these in turn."""

    @classmethod
    def of_all(cls, descriptors: int) -> Self:
        """Return the views where every part sees all of so many descriptors, without forests."""
        everything = tuple(range(descriptors))
        return cls(everything, everything, None, (everything,))
