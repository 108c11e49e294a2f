"""POSCAR and CONTCAR of VASP: one cell, checked before the parser makes as many atoms as it says.

Form: VASP's manual, "POSCAR". What a measurement does not use is left out and said: selective
dynamics, velocities.
"""

import re

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar

from alloop.errors import MaterialError
from alloop.files.parsed import ParsedStructure, parsed, require_few_atoms

_COUNTS_LINE = 5
"""Place of the line of counts, or of the names that come before it since VASP 5."""
_MOST_NAME_LINES = 10
"""Most lines of names that the parser takes."""


def read_poscar(text: str) -> ParsedStructure:
    """Read a POSCAR.

    Raises:
        MaterialError: if it cannot be read, or does not name its elements.
    """
    return parsed("POSCAR", lambda: _read(text))


def _read(text: str) -> tuple[Structure, list[str]]:
    lines = text.split("\n")
    # The parser cuts comments; whoever counts lines must see the same ones.
    lines = [line.split("#")[0] if i else line for i, line in enumerate(lines)]
    place, n_atoms = _counts(lines)
    said = []
    if place < len(lines) and lines[place].strip()[:1] in ("s", "S"):
        said.append("selective dynamics are left out: all atoms may move")
        place += 1
    rest = lines[place + 1 + n_atoms :]
    if len(lines) < place + 1 + n_atoms:
        raise ValueError(f"{n_atoms} atoms are promised and {len(lines) - place - 1} lines follow")
    if any(line.strip() for line in rest):
        said.append(f"what follows the {n_atoms} atoms is left out (velocities, for example)")
    lines[1] = _scale(lines)
    poscar = Poscar.from_str("\n".join(lines[: place + 1 + n_atoms]), read_velocities=False)
    if not poscar.true_names:
        # VASP 4 wrote no names of elements; the parser would begin at hydrogen.
        raise MaterialError("it does not name its elements", remedy="Add them as its sixth line.")
    structure = poscar.structure
    for name in tuple(structure.site_properties):
        structure.remove_site_property(name)
    return structure, said


def _counts(lines: list[str]) -> tuple[int, int]:
    """Return the place of the line after the counts, and the sum of these."""
    place = _COUNTS_LINE
    n_names = 0
    names_end = min(len(lines), _COUNTS_LINE + _MOST_NAME_LINES)
    while place < names_end and not re.match(r"\s*-?\d+\b", lines[place]):
        n_names += len(lines[place].split())
        place += 1
    n_lines = max(place - _COUNTS_LINE, 1)
    counts = [int(word) for line in lines[place : place + n_lines] for word in line.split()]
    if not counts or min(counts) < 0:
        raise ValueError("it has no numbers of atoms where they belong")
    if n_names and n_names != len(counts):
        raise ValueError(f"it names {n_names} elements and gives {len(counts)} numbers of atoms")
    require_few_atoms(sum(counts))
    return place + n_lines, sum(counts)


def _scale(lines: list[str]) -> str:
    """Return the factor of the lattice vectors; a negative one in the file is minus the volume.

    The parser would multiply Cartesian positions by that volume.
    """
    words = lines[1].split()
    if len(words) != 1:
        raise MaterialError(
            f"its second line has {len(words)} numbers, not one",
            remedy="Write the scaled lattice vectors, and 1 as their factor.",
        )
    factor = float(words[0])
    if factor < 0:
        vectors = np.array([[float(word) for word in line.split()] for line in lines[2:5]])
        factor = float((-factor / abs(np.linalg.det(vectors))) ** (1 / 3))
    if not np.isfinite(factor) or factor == 0:
        raise ValueError(f"the factor {words[0]} of its lattice vectors makes no cell")
    return repr(factor)
