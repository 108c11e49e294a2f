"""Crystal structures from files of others: CIF, POSCAR, extended XYZ.

What the files say is untrusted: it is parsed, never executed, and anything that is no single
crystal structure is refused with the reason.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pymatgen.core import Structure
from pymatgen.io.cif import CifParser
from pymatgen.io.vasp import Poscar

from alloop.errors import MaterialError

MAX_BYTES = 50_000_000
"""Largest size of a file in bytes, about a million atoms. What is larger is no single cell."""

FORMATS = (
    "CIF (*.cif), POSCAR (POSCAR*, CONTCAR*, *.vasp, *.poscar) or extended XYZ (*.xyz, *.extxyz)"
)
_REASON_LENGTH = 300


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
    parse, name = _parser(path)
    text = _text(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            structures = parse(text)
        except MaterialError as error:
            raise MaterialError(error.what, where=str(path), remedy=error.remedy) from error
        except Exception as error:  # parsers of untrusted text raise anything
            said = "; ".join([str(error) or type(error).__name__, *_remarks(caught)])
            why = " ".join(said.split())[:_REASON_LENGTH]
            raise MaterialError(f"it cannot be read as {name} ({why})", where=str(path)) from error
    if len(structures) != 1:
        raise MaterialError(
            f"it holds {len(structures)} structures",
            where=str(path),
            remedy="Give each structure a file of its own.",
        )
    return StructureFile(structures[0], _remarks(caught))


def _remarks(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    texts = (" ".join(str(warning.message).split()) for warning in caught)
    return tuple(dict.fromkeys(texts))


def _parser(path: Path) -> tuple[Callable[[str], list[Structure]], str]:
    name = path.name.lower()
    if name.endswith(".cif"):
        return _cif, "CIF"
    if name.endswith((".xyz", ".extxyz")):
        return _extended_xyz, "extended XYZ"
    if name.startswith(("poscar", "contcar")) or name.endswith((".vasp", ".poscar")):
        return _poscar, "POSCAR"
    raise MaterialError(
        "its name says no format that is known", where=str(path), remedy=f"Read are {FORMATS}."
    )


def _text(path: Path) -> str:
    # A pipe or a device would be waited for without end.
    if path.exists() and not path.is_file():
        raise MaterialError("it is no file", where=str(path))
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MaterialError(f"it has {size} bytes, more than any cell", where=str(path))
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise MaterialError("it is no text", where=str(path)) from error
    except OSError as error:
        raise MaterialError(f"it cannot be read ({error.strerror})", where=str(path)) from error


def _cif(text: str) -> list[Structure]:
    return CifParser.from_str(text).parse_structures(primitive=False)


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
