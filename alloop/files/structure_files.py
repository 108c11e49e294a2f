"""Crystal structures from files of others: CIF, POSCAR, extended XYZ, plain or compressed.

What the files say is untrusted: it is parsed, never executed, and anything that is no single
crystal structure is refused with the reason. Text is UTF-8 or, where it is not, Latin-1: what
is not ASCII stands in comments and titles only, so that the choice changes no structure.
"""

from collections.abc import Callable
from pathlib import Path

from alloop.errors import MaterialError
from alloop.files.cif import read_cif
from alloop.files.extxyz import read_extended_xyz
from alloop.files.limits import STRUCTURE_BYTES
from alloop.files.parsed import ParsedStructure
from alloop.files.poscar import read_poscar
from alloop.files.reading import COMPRESSIONS, decoded, read_bytes

FORMATS = (
    "CIF (*.cif), POSCAR (POSCAR*, CONTCAR*, *.vasp, *.poscar) or extended XYZ (*.xyz, *.extxyz)"
    f", each also as {', '.join(COMPRESSIONS)}"
)


def read_structure(path: Path) -> ParsedStructure:
    """Return the one structure of a file, whose format is known by its name.

    Raises:
        MaterialError: if it cannot be read, is of no known format, or holds no structure or
            several.
    """
    read = _reader(path)
    content = read_bytes(path, STRUCTURE_BYTES, error=MaterialError, is_unpacked=True)
    text = decoded(content, where=str(path), error=MaterialError, is_latin=True)
    try:
        return read(text)
    except MaterialError as error:
        raise MaterialError(error.what, where=str(path), remedy=error.remedy) from error


def _reader(path: Path) -> Callable[[str], ParsedStructure]:
    name = path.name.lower()
    if name.endswith(COMPRESSIONS):
        name = name.rpartition(".")[0]
    if name.endswith((".cif", ".mcif")):
        return read_cif
    if name.endswith((".xyz", ".extxyz")):
        return read_extended_xyz
    if name.startswith(("poscar", "contcar")) or name.endswith((".vasp", ".poscar")):
        return read_poscar
    raise MaterialError(
        "the file's name has no known format", where=str(path), remedy=f"Known formats: {FORMATS}."
    )
