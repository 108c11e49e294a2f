"""Crystal structures from CIF text: the one reader, for files, tables and models' data sets.

What it does with coordinates and occupancies, so that one text is one material everywhere:

- *No symmetry operation but the identity* (P1; what pymatgen, ASE and CDVAE write): coordinates
  stay as written. Nothing is rounded to thirds, which would move atoms of relaxed cells, and no
  neighbours are merged: only sites within ``SAME_SITE`` of each other are one.
- *Symmetry operations*: an atom on a special position must lie on it exactly, or its images
  become atoms of their own (0.333, 0.667 gives hcp six atoms instead of two). Its coordinates are
  moved onto the position where they lie there to within the digits they are written with (those
  of the coordinate with the most, of which four count: 0.3333 often stands beside a refined
  0.06532). Where that leaves atoms nearer than ``TOO_CLOSE`` Å, the text
  is refused.
- *Occupancies*: sites of one position add up; partly occupied ones give a disordered structure,
  more than one atom on a site is refused, nothing is scaled.
- *Cell*: as written, not reduced; sites sorted by electronegativity, as pymatgen sorts them.

Notes of the parser that change nothing (no symmetry written, another sum formula than the
sites') are passed on as remarks.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.core.operations import SymmOp
from pymatgen.io.cif import CifBlock, CifFile, CifParser, str2float

from alloop.errors import MaterialError

SAME_SITE = 1e-6
"""Largest difference of the fractional coordinates of one site's entries."""

TOO_CLOSE = 0.5
"""Least distance in Å of two atoms that symmetry operations may make of one."""

_COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
_FEWEST_DIGITS = 2
"""Least number of decimals of rounded coordinates; where all have fewer they are taken as exact: 0,
0.5."""
_MOST_DIGITS = 4
_IMAGE_ERROR = 3
"""Largest difference of an image from its site, in errors of a coordinate: rows of the operations
on hexagonal axes add two coordinates, and the site has its own."""
_REASON_LENGTH = 300


@dataclass(frozen=True)
class CifContent:
    """Structure of a CIF text, with the parser's remarks."""

    structure: Structure
    remarks: tuple[str, ...]
    """Remarks of the parser."""


def read_cif(text: str) -> CifContent:
    """Read the one structure of a CIF; see the module for the rules.

    Raises:
        MaterialError: if it cannot be read, holds no structure or several, or its coordinates
            are too coarse for its symmetry.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            structures = _parsed(text)
        except MaterialError:
            raise
        except Exception as error:  # the parser raises whatever the text provokes
            raise unreadable(error, "CIF", caught) from error
    return CifContent(single_structure(structures), remarks(caught))


def single_structure(structures: Sequence[Structure]) -> Structure:
    """Return the only structure.

    Raises:
        MaterialError: if there is none, or more than one.
    """
    if len(structures) != 1:
        raise MaterialError(
            f"it holds {len(structures)} structures",
            remedy="Give each structure a file of its own.",
        )
    return structures[0]


def unreadable(
    error: Exception, format_name: str, caught: Sequence[warnings.WarningMessage]
) -> MaterialError:
    """Return the error for text that a parser refused, with what the parser said before."""
    said = "; ".join([str(error) or type(error).__name__, *remarks(caught)])
    why = " ".join(said.split())[:_REASON_LENGTH]
    return MaterialError(f"it cannot be read as {format_name} ({why})")


def remarks(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return a parser's warnings, each sentence once, on one line."""
    texts = (" ".join(str(warning.message).split()) for warning in caught)
    return tuple(dict.fromkeys(texts))


def _parsed(text: str) -> list[Structure]:
    parser = CifParser.from_str(text, frac_tolerance=0, site_tolerance=SAME_SITE)
    file = CifFile.from_str(text)
    blocks = [block for block in file.data.values() if _has_sites(block)]
    have_symmetry = [_move_onto_special_positions(parser, block) for block in blocks]
    if not any(have_symmetry):
        return parser.parse_structures(primitive=False)
    parser = CifParser.from_str(str(file), frac_tolerance=0, site_tolerance=SAME_SITE)
    structures = parser.parse_structures(primitive=False)
    for structure in structures:
        _require_apart(structure)
    return structures


def _has_sites(block: CifBlock) -> bool:
    return all(isinstance(block.data.get(name), list) for name in _COORDINATES)


def _move_onto_special_positions(parser: CifParser, block: CifBlock) -> bool:
    """Write exact coordinates where symmetry asks for them; return whether there is symmetry."""
    operations = parser.get_symops(block)
    if len(operations) < 2:
        return False
    columns = [block.data[name] for name in _COORDINATES]
    digits = max(_n_decimals(text) for column in columns for text in column)
    error = 0.5 * 10.0 ** -min(digits, _MOST_DIGITS) if digits >= _FEWEST_DIGITS else 0.0
    tolerance = max(_IMAGE_ERROR * error, SAME_SITE)
    for row, texts in enumerate(zip(*columns, strict=True)):
        site = np.array([str2float(text) for text in texts])
        exact = _special_position(site, operations, tolerance)
        for column, value in zip(columns, exact, strict=True):
            column[row] = f"{value:.15f}"
    return True


def _special_position(
    site: NDArray[np.float64], operations: Sequence[SymmOp], tolerance: float
) -> NDArray[np.float64]:
    """Return the mean of a site's images that fall onto it: the point that they share."""
    images = np.array([operation.operate(site) for operation in operations])
    images -= np.round(images - site)
    on_it = np.abs(images - site).max(axis=1) <= tolerance
    return np.asarray(images[on_it].mean(axis=0))


def _require_apart(structure: Structure) -> None:
    distances = structure.distance_matrix[np.triu_indices(len(structure), k=1)]
    if len(distances) and distances.min() < TOO_CLOSE:
        raise MaterialError(
            f"its symmetry puts atoms {distances.min():.3f} Å apart: coordinates are too coarse "
            "for their special positions, or atoms overlap",
            remedy="Write coordinates with at least four digits, or all atoms of the cell in P1.",
        )


def _n_decimals(text: str) -> int:
    found = re.search(r"\.(\d+)", text)
    return len(found[1]) if found else 0
