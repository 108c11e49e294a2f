"""What may be proposed: elements, their fractions, parent lattices, cell sizes."""

import math
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pymatgen.core import Element


def _element(symbol: str) -> str:
    if not Element.is_valid_symbol(symbol):
        raise ValueError(f"{symbol!r} is not a chemical element; write its symbol, such as Ni")
    return symbol


Symbol = Annotated[str, AfterValidator(_element)]
LatticeName = Literal["fcc", "bcc"]


class Space(BaseModel):
    """The materials a campaign may propose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    elements: tuple[Symbol, ...] = Field(min_length=1)
    fractions: Mapping[Symbol, tuple[float, float]] = Field(
        default_factory=dict, description="lowest and highest atomic fraction, 0–1 if left out"
    )
    lattices: tuple[LatticeName, ...] = Field(default=("fcc", "bcc"), min_length=1)
    atoms: int = Field(default=54, description="atoms per cell: 2 n³, that is 2, 16, 54, 128, …")
    min_distance: float = Field(default=1.5, gt=0, description="Å, between any two atoms")

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if len(set(self.elements)) != len(self.elements):
            raise ValueError(f"elements {list(self.elements)} names one twice")
        if len(set(self.lattices)) != len(self.lattices):
            raise ValueError(f"lattices {list(self.lattices)} names one twice")
        if stray := sorted(set(self.fractions) - set(self.elements)):
            raise ValueError(
                f"fractions bounds {', '.join(stray)}, which elements does not list; "
                "add it there or remove the bound"
            )
        for symbol, (low, high) in self.fractions.items():
            if not 0 <= low <= high <= 1:
                raise ValueError(
                    f"the fractions of {symbol}, [{low:g}, {high:g}], must satisfy "
                    "0 ≤ low ≤ high ≤ 1 (fractions, not percent)"
                )
        if 2 * round((self.atoms / 2) ** (1 / 3)) ** 3 != self.atoms:
            raise ValueError(
                f"{self.atoms} atoms do not fill n × n × n two-atom cells; take 2, 16, 54 or 128"
            )
        bounds = self.count_bounds()
        if empty := [symbol for symbol, (low, high) in bounds.items() if low > high]:
            raise ValueError(
                f"no whole number of {empty[0]} atoms out of {self.atoms} lies within its "
                "fractions; widen them or take a larger cell"
            )
        least, most = (sum(b[i] for b in bounds.values()) for i in (0, 1))
        if not least <= self.atoms <= most:
            raise ValueError(
                f"the fractions allow {least} to {most} atoms, never {self.atoms}; "
                "loosen the bounds so that they can sum to one"
            )
        return self

    def bounds(self, symbol: str) -> tuple[float, float]:
        """Return the lowest and highest allowed fraction of an element."""
        return self.fractions.get(symbol, (0.0, 1.0))

    def count_bounds(self) -> dict[str, tuple[int, int]]:
        """Return the fewest and most atoms of each element in a cell, in the order given."""
        slack = 1e-9  # 0.6 × 5 is 3.0000000000000004 for nobody but the machine
        return {
            symbol: (
                math.ceil(self.bounds(symbol)[0] * self.atoms - slack),
                math.floor(self.bounds(symbol)[1] * self.atoms + slack),
            )
            for symbol in self.elements
        }
