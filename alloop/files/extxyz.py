"""Extended XYZ: periodic cells, and what the second line of each says.

Of a structure only ``Lattice``, ``pbc`` and ``Properties`` of that line are read, and of the
columns only species (or ``Z``) and positions: forces and further columns are passed over. Energies
and other values are left as text, for who asks for them (``read_frames``). Form: ASE,
``ase.io.extxyz``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from alloop.errors import MaterialError
from alloop.files.parsed import ParsedStructure, parsed, require_few_atoms

_ENTRY = re.compile(
    r"""([A-Za-z_][\w-]*)\s*=\s*("[^"]*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|[^\s"']+)""", re.ASCII
)
_PLAIN_COLUMNS = "species:S:1:pos:R:3"
_SPECIES, _NUMBERS, _POSITIONS = ("species", "symbols"), ("Z", "numbers"), ("pos", "positions")
_MOST_COLUMNS = 1_000


def read_extended_xyz(text: str) -> ParsedStructure:
    """Read the one structure of an extended XYZ text.

    Raises:
        MaterialError: if it cannot be read, holds none or several, or is not periodic.
    """
    return parsed("extended XYZ", lambda: (_structure(text), []))


@dataclass(frozen=True)
class Frame:
    """One structure of an extended XYZ file, with what its second line says."""

    line: int
    """Line of the file that it begins in, from 1."""
    structure: Structure
    entries: Mapping[str, str]
    """Values by key, as text; keys in small letters."""
    remarks: tuple[str, ...]


def read_frames(text: str, most: int) -> tuple[Frame, ...]:
    """Read every structure of an extended XYZ text.

    Args:
        text: of the file.
        most: structures that it may hold.

    Raises:
        MaterialError: naming the line in which the structure begins that cannot be read.
    """
    lines = text.rstrip().split("\n")
    try:
        spans = _spans(lines)
    except ValueError as error:
        raise MaterialError(f"it cannot be read as extended XYZ ({error})") from error
    if len(spans) > most:
        raise MaterialError(
            f"it holds {len(spans):,} structures, more than the {most:,} that are read at once",
            remedy="Split it.",
        )
    frames = []
    for begin, end in spans:
        try:
            found = read_extended_xyz("\n".join(lines[begin:end]))
        except MaterialError as error:
            what = f"the structure that begins in line {begin + 1}: {error.what}"
            raise MaterialError(what, remedy=error.remedy) from error
        entries = _entries(lines[begin + 1])
        frames.append(Frame(begin + 1, found.structure, entries, found.remarks))
    return tuple(frames)


def _structure(text: str) -> Structure:
    lines = text.rstrip().split("\n")
    n_frames = len(_spans(lines))
    if n_frames != 1:
        raise MaterialError(
            f"it holds {n_frames} structures", remedy="Give each structure a file of its own."
        )
    entries = _entries(lines[1])
    # Without pbc a lattice means periodic, as ASE has it.
    periodic = re.split(r"[\s,]+", entries.get("pbc", "T T T").strip())
    if "lattice" not in entries or any(word[:1].upper() not in ("T", "1") for word in periodic):
        raise MaterialError(
            "its structure is not periodic in all three directions",
            remedy='Give it Lattice="…" and pbc="T T T".',
        )
    vectors = [float(word) for word in re.split(r"[\s,\]\[]+", entries["lattice"].strip())]
    if len(vectors) not in (3, 9):
        raise MaterialError(f"its Lattice has {len(vectors)} numbers, not 9")
    # Row by row here; ASE writes the transpose of what it calls the cell's columns, the same.
    matrix = np.diag(vectors) if len(vectors) == 3 else np.array(vectors).reshape(3, 3)
    species, positions = _columns(entries.get("properties", _PLAIN_COLUMNS), lines[2:])
    return Structure(Lattice(matrix), species, positions, coords_are_cartesian=True)


def _entries(line: str) -> dict[str, str]:
    return {name.lower(): value.strip("\"'{}[]") for name, value in _ENTRY.findall(line)}


def _spans(lines: list[str]) -> list[tuple[int, int]]:
    """Return the lines of each frame, which has the atoms that its first line promises."""
    place, spans = 0, []
    while place < len(lines) and lines[place].strip():
        n_atoms = int(lines[place])
        require_few_atoms(n_atoms)
        rows = lines[place + 2 : place + 2 + n_atoms]
        if len(rows) < n_atoms:
            raise ValueError(f"{n_atoms} atoms are promised and {len(rows)} are there")
        spans.append((place, place + 2 + n_atoms))
        place += 2 + n_atoms
    if any(line.strip() for line in lines[place:]):
        raise ValueError(f"line {place + 1} follows the atoms and is no number of atoms")
    return spans


def _columns(
    properties: str, rows: list[str]
) -> tuple[list[Element], list[tuple[float, float, float]]]:
    parts = properties.split(":")
    if len(parts) % 3 or len(parts) > 3 * _MOST_COLUMNS:
        raise ValueError("its Properties are not name, type and number of columns in turn")
    begins: dict[str, int] = {}
    width = 0
    for name, n_columns in zip(parts[::3], parts[2::3], strict=True):
        begins[name] = width
        width += int(n_columns)
        if not 0 < int(n_columns) <= _MOST_COLUMNS:
            raise ValueError(f"{name} has {n_columns} columns")
    species_at = next((begins[name] for name in _SPECIES if name in begins), None)
    number_at = next((begins[name] for name in _NUMBERS if name in begins), None)
    at = next((begins[name] for name in _POSITIONS if name in begins), None)
    if at is None or (species_at is None and number_at is None):
        raise ValueError("its Properties name no species or no pos")
    species, positions = [], []
    for row in rows:
        words = row.split()
        if len(words) < width:
            raise ValueError(f"a row has {len(words)} columns, not {width}: {row[:80]}")
        if species_at is not None:
            species.append(_element(words[species_at]))
        else:
            assert number_at is not None
            species.append(Element.from_Z(int(words[number_at])))
        x, y, z = map(float, words[at : at + 3])
        positions.append((x, y, z))
    return species, positions


def _element(word: str) -> Element:
    return Element(word) if not word.isdecimal() else Element.from_Z(int(word))
