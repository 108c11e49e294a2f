"""Options of the cells that stand for a composition; light, so that specs can import them."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alloop.oracles.options import OracleOptions
from alloop.parents.layout import cell_for
from alloop.parents.options import ParentOptions, Repeats, WantedSites
from alloop.parents.unit_cell import UnitCell

CellKind = Literal["sqs", "random"]
AlloyLattice = Literal["fcc", "bcc", "hcp"]


class CellOptions(BaseModel):
    """Cells of a random alloy on a lattice."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    lattice: AlloyLattice = Field(description="lattice that the alloy is measured on")
    atoms: WantedSites = Field(
        default=108, description="sites per cell, or about N; fractions are rounded to sites"
    )
    kind: CellKind = Field(
        default="sqs",
        description="special quasi-random: pairs and triangles of neighbours as in the infinite "
        "random alloy, as nearly as exchanges find; or drawn at random",
    )
    count: int = Field(
        default=1, ge=1, le=64, description="cells per composition; the mean is recorded"
    )

    @model_validator(mode="after")
    def _cells_exist(self) -> Self:
        self.repeats()
        return self

    def unit_cell(self) -> UnitCell:
        """Return the lattice's cell that is repeated, of no size of its own."""
        return cell_for(ParentOptions(prototype=self.lattice), None, self.atoms)

    def repeats(self) -> Repeats:
        """Return how often it is repeated along its axes.

        Raises:
            ValueError: if no whole number of cells has so many sites.
        """
        parent = ParentOptions(prototype=self.lattice)
        return parent.repeats(self.unit_cell(), None, self.atoms)


class CrystalOracleOptions(OracleOptions):
    """Options of a tier that measures crystals, and compositions in cells that stand for them."""

    cells: CellOptions | None = Field(
        default=None,
        description="of a space of compositions: the cells in which each is measured, such as "
        "{lattice: fcc, atoms: 108}",
    )

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space whose materials have sites, or compositions alone where these
        are given cells."""
        return ("decorations", "structures") if self.cells is None else ("compositions",)
