"""The interatomic potentials that can be asked for by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pymatgen.core import Lattice, Structure

from alloop.canonical import sha256
from alloop.errors import PotentialError

FOLDER = Path(__file__).with_name("potentials")


@dataclass(frozen=True)
class ParameterFile:
    """A file of parameters and what must be in it."""

    path: Path
    checksum: str
    """SHA-256 of its bytes."""

    def checked_path(self) -> Path:
        """Return the path.

        Raises:
            PotentialError: if the file is missing or is not the one that was meant.
        """
        try:
            found = sha256(self.path.read_bytes())
        except OSError as error:
            raise PotentialError(
                f"this parameter file cannot be read ({error.strerror})",
                where=str(self.path),
                remedy="Install Alloop again.",
            ) from error
        if found != self.checksum:
            raise PotentialError(
                f"this parameter file has changed: its SHA-256 is {found[:12]}…, "
                f"not {self.checksum[:12]}…",
                where=str(self.path),
                remedy="Put the original back, or install Alloop again.",
            )
        return self.path


@dataclass(frozen=True)
class ReferenceCrystal:
    """The stable structure of a pure element under a potential, to measure energies against."""

    lattice: Literal["fcc", "bcc"]
    edge: float
    """Edge of the cubic cell, Å; where its relaxation starts."""

    def structure(self, element: str) -> Structure:
        """Return the conventional cubic cell of an element."""
        corner, centre = [0.0, 0.0, 0.0], [0.5, 0.5, 0.5]
        faces = [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
        sites = [corner, *faces] if self.lattice == "fcc" else [corner, centre]
        return Structure(Lattice.cubic(self.edge), [element] * len(sites), sites)


@dataclass(frozen=True)
class Potential:
    """An interatomic potential, in LAMMPS's metal units (eV, Å, g/mol, bar)."""

    name: str
    pair_style: Literal["meam"]
    library: ParameterFile
    """Parameters of the elements."""
    parameters: ParameterFile
    """Parameters of pairs and triplets, by the elements' indices."""
    elements: tuple[str, ...]
    """In the order of the indices in ``parameters``; atom type i + 1 is ``elements[i]``."""
    references: MappingProxyType[str, ReferenceCrystal]
    """Stable structure of each element."""
    citation: str

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


_WU2017 = FOLDER / "NiFeCr-Wu2017"

_POTENTIALS = {
    potential.name: potential
    for potential in (
        Potential(
            name="NiFeCr-Wu2017",
            pair_style="meam",
            library=ParameterFile(
                _WU2017 / "library.meam",
                "b3b1d67c238227c718f5504cc3b281e03c7e836909f29a6c652ec70cd3ecae29",
            ),
            parameters=ParameterFile(
                _WU2017 / "NiFeCr.meam",
                "2cfe448e30e54c82df05fdedd45d19386c6e87e6dc069272309f45ff81812895",
            ),
            elements=("Ni", "Cr", "Fe"),
            references=MappingProxyType(
                {
                    "Ni": ReferenceCrystal("fcc", 3.52),
                    "Cr": ReferenceCrystal("bcc", 2.88),
                    "Fe": ReferenceCrystal("bcc", 2.86),
                }
            ),
            citation=(
                "Changjun Wu, Byeong-Joo Lee, Xuping Su: Modified embedded-atom interatomic "
                "potential for Fe-Ni, Cr-Ni and Fe-Cr-Ni systems. Calphad 57 (2017) 98–106. "
                "doi:10.1016/j.calphad.2017.03.007"
            ),
        ),
    )
}


def potential_names() -> tuple[str, ...]:
    """Return the names that ``find_potential`` knows."""
    return tuple(_POTENTIALS)


def find_potential(name: str) -> Potential:
    """Return a potential by its name.

    Raises:
        PotentialError: if there is none of that name.
    """
    try:
        return _POTENTIALS[name]
    except KeyError:
        raise PotentialError(
            f"there is no potential {name!r}; known are {', '.join(_POTENTIALS)}",
            remedy="Write one of these names.",
        ) from None
