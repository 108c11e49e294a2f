"""Interatomic potentials and the LAMMPS commands that define them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pymatgen.core import Lattice, Structure

from alloop.errors import PotentialError
from alloop.lattices import CUBIC_SITES, LatticeName
from alloop.oracles.lammps.options import PairStyle
from alloop.oracles.lammps.potentials.parameter_files import ParameterFile


@dataclass(frozen=True)
class ReferenceCrystal:
    """The stable structure of a pure element under a potential, to measure energies against."""

    lattice: LatticeName
    edge: float
    """Edge of the cubic cell, Å; where its relaxation starts."""

    def structure(self, element: str) -> Structure:
        """Return the conventional cubic cell of an element."""
        sites = CUBIC_SITES[self.lattice]
        return Structure(Lattice.cubic(self.edge), [element] * len(sites), sites)


@dataclass(frozen=True)
class Potential:
    """An interatomic potential, in LAMMPS's metal units (eV, Å, g/mol, bar)."""

    name: str
    pair_style: PairStyle
    files: tuple[ParameterFile, ...]
    """Parameter files; eam: one per element; meam: library and parameters; snap: coefficients and
    parameters; any other: one."""
    elements: tuple[str, ...]
    """Elements it is valid for. Atom type i + 1 is ``elements[i]``; for MEAM the order is that of
    the indices in its parameter file."""
    labels: tuple[str, ...]
    """Names of the elements in the files, in the order of ``elements``."""
    citation: str
    references: Mapping[str, ReferenceCrystal] = field(default_factory=dict)
    """Stable structure of each element, where it is known beforehand."""

    def require(self, elements: Iterable[str]) -> None:
        """Check that the potential covers the elements.

        Raises:
            PotentialError: naming those that it does not.
        """
        if missing := [symbol for symbol in elements if symbol not in self.elements]:
            raise PotentialError(
                f"the potential {self.name} has no {', '.join(missing)}; "
                f"it covers {', '.join(self.elements)}",
                remedy="Take another potential or other elements.",
            )

    def type_of(self, element: str) -> int:
        """Return an element's atom type in LAMMPS, counted from 1."""
        return self.elements.index(element) + 1

    def commands(self, copies: Sequence[ParameterFile] = ()) -> list[str]:
        """Return the commands that define the potential in LAMMPS.

        Args:
            copies: of its files, to be read instead.

        Raises:
            PotentialError: if a file is missing or changed.
        """
        return self.commands_reading(
            [_quoted(file.checked_path().as_posix()) for file in copies or self.files]
        )

    def commands_reading(self, files: Sequence[str]) -> list[str]:
        """Return the commands that define the potential in LAMMPS, with the names of its files, in
        their order, as LAMMPS is to read them.
        """
        labels = " ".join(self.labels)
        match self.pair_style:
            case "eam":
                coefficients = [f"{i} {i} {file}" for i, file in enumerate(files, start=1)]
            case "meam":
                coefficients = [f"* * {files[0]} {labels} {files[1]} {labels}"]
            case _:
                coefficients = [f"* * {' '.join(files)} {labels}"]
        return [f"pair_style {self.pair_style}", *(f"pair_coeff {each}" for each in coefficients)]


def _quoted(path: str) -> str:
    if '"' in path or "\n" in path:
        raise PotentialError(
            "LAMMPS cannot read a path with a quotation mark or a line break in it",
            where=repr(path),
            remedy="Put it into another folder.",
        )
    return f'"{path}"'
