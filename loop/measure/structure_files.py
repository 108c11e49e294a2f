"""Crystal structures from files of others: CIF, POSCAR, extended XYZ.

What the files say is untrusted: it is parsed, never executed, and anything that is no single
crystal structure is refused with the reason. Text is UTF-8 or, where it is not, Latin-1: what
is not ASCII stands in comments and titles only, so that the choice changes no structure.
"""

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar

from alloop.cif import read_cif, remarks, single_structure, unreadable
from alloop.errors import MaterialError

MAX_BYTES = 50_000_000
"""Largest size of a file in bytes, about a million atoms. What is larger is no single cell."""

FORMATS = (
    "CIF (*.cif), POSCAR (POSCAR*, CONTCAR*, *.vasp, *.poscar) or extended XYZ (*.xyz, *.extxyz)"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class StructureFile:
    """Structure of a file, with the parser's remarks."""

    structure: Structure
    remarks: tuple[str, ...]
    """Remarks of the parser."""


def read_structure(path: Path) -> StructureFile:
    """Return the one structure of a file, whose format is known by its name.

    Raises:
        MaterialError: if it cannot be read, is of no known format, or holds no structure or
            several.
    """
    read = _reader(path)
    text = _text(path)
    try:
        return read(text)
    except MaterialError as error:
        raise MaterialError(error.what, where=str(path), remedy=error.remedy) from error


def _reader(path: Path) -> Callable[[str], StructureFile]:
    name = path.name.lower()
    if name.endswith(".cif"):
        return _cif
    if name.endswith((".xyz", ".extxyz")):
        return partial(_read_with, _extended_xyz, "extended XYZ")
    if name.startswith(("poscar", "contcar")) or name.endswith((".vasp", ".poscar")):
        return partial(_read_with, _poscar, "POSCAR")
    raise MaterialError(
        "the file's name has no known format", where=str(path), remedy=f"Known formats: {FORMATS}."
    )


def _text(path: Path) -> str:
    # A pipe or a device would be waited for without end.
    if path.exists() and not path.is_file():
        raise MaterialError("it is no file", where=str(path))
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MaterialError(f"it has {size} bytes, more than any cell", where=str(path))
        content = path.read_bytes()
    except OSError as error:
        raise MaterialError(f"it cannot be read ({error.strerror})", where=str(path)) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = content.decode("latin-1")
        if _CONTROL.search(text):
            raise MaterialError(
                f"it is no text (byte {error.start} is not UTF-8, and Latin-1 has no "
                "control characters)",
                where=str(path),
                remedy="Save it as UTF-8.",
            ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _cif(text: str) -> StructureFile:
    content = read_cif(text)
    return StructureFile(content.structure, content.remarks)


def _read_with(
    parse: Callable[[str], list[Structure]], format_name: str, text: str
) -> StructureFile:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            structures = parse(text)
        except MaterialError:
            raise
        except Exception as error:  # parsers of untrusted text raise anything
            raise unreadable(error, format_name, caught) from error
    return StructureFile(single_structure(structures), remarks(caught))


def _poscar(text: str) -> list[Structure]:
    poscar = Poscar.from_str(text, read_velocities=False)
    if not poscar.true_names:
        # VASP 4 wrote no names of elements; pymatgen would begin at hydrogen.
        raise MaterialError("it does not name its elements", remedy="Add them as its sixth line.")
    return [poscar.structure]


def _extended_xyz(text: str) -> list[Structure]:
    from ase.io import read  # noqa: PLC0415 (half a second, for this format only)
    from pymatgen.io.ase import AseAtomsAdaptor  # noqa: PLC0415

    frames = read(io.StringIO(text), index=":", format="extxyz")
    if any(atoms.cell.rank < 3 or not atoms.pbc.all() for atoms in frames):
        raise MaterialError(
            "its structure is not periodic in all three directions",
            remedy='Give it Lattice="…" and pbc="T T T".',
        )
    return [AseAtomsAdaptor.get_structure(atoms) for atoms in frames]
