"""What a spec says of parent lattices and their sublattices."""

import difflib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from alloop.errors import AlloopError
from alloop.parents.prototypes import PROTOTYPES, SAME_AS
from alloop.parents.species import VACANCY, SpeciesName
from alloop.parents.unit_cell import MOST_REPEATS, UnitCell, prototype_cell, repeats_for
from alloop.paths import FOLDER

Vector = tuple[float, float, float]
Repeats = tuple[int, int, int]

MOST_SITES = 1024
"""Largest number of sites of a supercell: its symmetries and the pairs of its sites are kept."""
_ABOUT = re.compile(r"^about\s+(\d+)$")


def _wanted_sites(value: Any) -> Any:
    if isinstance(value, str) and not _ABOUT.match(value.strip()):
        raise ValueError(f"{value!r} is no number of sites; write 54, or about 54")
    return value.strip() if isinstance(value, str) else value


WantedSites = Annotated[int | str, BeforeValidator(_wanted_sites)]
"""A number of sites, or *about N*."""


def number_of(atoms: int | str) -> tuple[int, bool]:
    """Return the number of sites wanted, and whether it must be met."""
    if isinstance(atoms, int):
        return atoms, True
    found = _ABOUT.match(atoms)
    assert found is not None  # checked where it was read
    return int(found[1]), False


class SublatticeOptions(BaseModel):
    """Options of one sublattice: which sites, and what may sit on them."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    sites: tuple[str, ...] = Field(
        default=(),
        description="labels or elements of the parent's sites; the sublattice's name if left out",
    )
    elements: tuple[SpeciesName, ...] = Field(
        min_length=1, description="elements, and vacancy; a single one is never exchanged"
    )
    fractions: Mapping[SpeciesName, tuple[float, float]] = Field(
        default_factory=dict, description="lowest and highest share of the sublattice's sites"
    )

    @model_validator(mode="after")
    def _fractions_are_possible(self) -> Self:
        if len(set(self.elements)) != len(self.elements):
            raise ValueError(f"elements {list(self.elements)} names one twice")
        if set(self.elements) == {VACANCY}:
            raise ValueError("a sublattice of nothing but vacancies has no atoms; leave it out")
        if stray := sorted(set(self.fractions) - set(self.elements)):
            raise ValueError(f"fractions bounds {', '.join(stray)}, which elements does not list")
        for name, (low, high) in self.fractions.items():
            if not 0 <= low <= high <= 1:
                raise ValueError(
                    f"the fractions of {name}, [{low:g}, {high:g}], must satisfy "
                    "0 ≤ low ≤ high ≤ 1 (shares of the sublattice's sites)"
                )
        return self

    def bounds(self, species: str) -> tuple[float, float]:
        """Return the lowest and highest share of a species."""
        return self.fractions.get(species, (0.0, 1.0))


class CrystalOptions(BaseModel):
    """A parent crystal written down: so a recorded campaign needs no file beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    lattice: tuple[Vector, Vector, Vector]
    elements: tuple[SpeciesName, ...] = Field(min_length=1)
    labels: tuple[str, ...]
    frac_coords: tuple[Vector, ...]


class ParentOptions(BaseModel):
    """Options of a parent lattice: a prototype by name, or a crystal from a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    prototype: str | None = Field(default=None, description=", ".join(PROTOTYPES))
    file: str | None = Field(
        default=None, description="CIF or POSCAR; its content is kept with the campaign"
    )
    crystal: CrystalOptions | None = Field(default=None, description="what the file holds")
    a: float | None = Field(
        default=None, gt=0, description="lattice parameter of the prototype, Å; else guessed"
    )
    c: float | None = Field(
        default=None, gt=0, description="the other, of a tetragonal or hexagonal prototype, Å"
    )
    supercell: Repeats | None = None
    atoms: WantedSites | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            value = {"prototype": value}
        if not isinstance(value, Mapping) or "file" not in value or value.get("crystal"):
            return value
        if value["file"] is None:
            return value
        context: Mapping[str, Any] = info.context or {}
        if FOLDER not in context:
            # A recorded spec brings the content; it makes nobody read a file of theirs.
            raise ValueError(
                f"the content of {value['file']} is missing; start from the spec's file"
            )
        path = Path(context[FOLDER]) / str(value["file"])
        return {**value, "file": path.name, "crystal": read_crystal(path)}

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.prototype is None) == (self.crystal is None):
            raise ValueError("say which parent: prototype: NAME, or file: parent.cif")
        if self.prototype is not None and self._canonical() not in PROTOTYPES:
            close = difflib.get_close_matches(self.prototype, [*PROTOTYPES, *SAME_AS], n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ValueError(
                f"there is no prototype {self.prototype!r}; {hint}there are "
                f"{', '.join(PROTOTYPES)}; for another write file: parent.cif"
            )
        if self.crystal is not None and (self.a or self.c):
            raise ValueError("a and c belong to a prototype; a file has its own: remove them")
        if self.c and (not self.a or self._system() == "cubic"):
            raise ValueError("c is given beside a, of a tetragonal or hexagonal prototype")
        return self

    @property
    def name(self) -> str:
        """Name for people and in the ledger: the prototype's, or the file's without its ending."""
        return self._canonical() if self.prototype is not None else Path(self.file or "own").stem

    def _canonical(self) -> str:
        assert self.prototype is not None
        return SAME_AS.get(self.prototype, self.prototype)

    def _system(self) -> str:
        return PROTOTYPES[self._canonical()].system

    def unit_cell(self) -> UnitCell:
        """Return the unit cell."""
        if self.crystal is None:
            return prototype_cell(self._canonical(), self.a, self.c)
        told = self.crystal
        return UnitCell(
            self.name, told.lattice, told.labels, told.elements, told.frac_coords, is_sized=True
        )

    def repeats(self, cell: UnitCell, supercell: Repeats | None, atoms: int | str) -> Repeats:
        """Return how often the cell is repeated along its axes.

        Args:
            cell: the unit cell.
            supercell: of the space, where this parent has none of its own.
            atoms: of the space, likewise.

        Raises:
            ValueError: if no supercell has so many sites, or it has too many.
        """
        own = self.supercell or (None if self.atoms is not None else supercell)
        each = len(cell.labels)
        if own is None:
            number, is_exact = number_of(self.atoms if self.atoms is not None else atoms)
            _require_few(number)
            own = repeats_for(cell, number, is_exact=is_exact)
            if own is None:
                near = sorted({max(each, number // each * each), (number // each + 1) * each})
                raise ValueError(
                    f"{number} sites are no whole number of {self.name} cells, which have {each}; "
                    f"take {' or '.join(map(str, near))}, write atoms: about {number}, or give a "
                    "supercell"
                )
        if min(own) < 1 or max(own) > MOST_REPEATS:
            raise ValueError(
                f"a supercell {list(own)}; its edges have 1 to {MOST_REPEATS} cells, and it has at "
                f"most {MOST_SITES} sites: take a smaller one"
            )
        _require_few(each * math.prod(own))
        return own


def _require_few(sites: int) -> None:
    if not 1 <= sites <= MOST_SITES:
        raise ValueError(
            f"a supercell of {sites} sites; there may be 1 to {MOST_SITES}: take a smaller one"
        )


def read_crystal(path: Path) -> dict[str, Any]:
    """Return the plain form of a parent crystal in a file.

    Raises:
        ValueError: if it cannot be read, or a site is partly occupied.
    """
    from alloop.files.structure_files import read_structure  # noqa: PLC0415 (pymatgen waits)

    try:
        structure = read_structure(path).structure
    except (AlloopError, OSError) as error:
        raise ValueError(f"the parent {path.name} cannot be read: {error}") from error
    if not structure.is_ordered:
        partly = next(site for site in structure if not site.is_ordered)
        raise ValueError(
            f"the parent {path.name} has a partly occupied site ({partly.species_string}); put one "
            "element on every site, and say under sublattices what else may be there"
        )
    elements = [getattr(site.specie, "element", site.specie).symbol for site in structure]
    return {
        "lattice": structure.lattice.matrix.tolist(),
        "elements": elements,
        "labels": [site.label for site in structure],
        "frac_coords": (structure.frac_coords % 1.0).tolist(),
    }
