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
- *Cell*: as written, not reduced; sites sorted by electronegativity as pymatgen sorts them, noble
  gases, which have none, last.
- *Isotopes and charges*: left out, with a remark.

Notes of the parser that change nothing (no symmetry written, another sum formula than the
sites') are passed on as remarks.
"""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicSite, Structure
from pymatgen.core.operations import SymmOp
from pymatgen.io.cif import CifBlock, CifFile, CifParser, str2float
from scipy.spatial import KDTree

from alloop.errors import MaterialError
from alloop.files.cif_symmetry import OPERATIONS, require_known_symmetry
from alloop.files.limits import CIF_ATOMS, CIF_IMAGES, CIF_OPERATIONS, CIF_WORDS
from alloop.files.parsed import ParsedStructure, parsed, require_few_atoms

SAME_SITE = 1e-6
"""Largest difference of the fractional coordinates of one site's entries."""

TOO_CLOSE = 0.5
"""Least distance in Å of two atoms that symmetry operations may make of one."""

_COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
_MAGNETIC = (
    "_space_group_symop_magn_operation.xyz",
    "_space_group_symop_magn_centering.xyz",
    "_space_group_symop.magn_operation_xyz",
    "_space_group_symop.magn_centering_xyz",
)
"""Names of the operations of magnetic groups."""
_WITH_HYDROGEN = ("Wat", "wat", "O-H")
"""Labels of water and hydroxyl, which the parser takes for their oxygen."""
_TEXT_BLOCK = re.compile(r"^;.*?^;", re.MULTILINE | re.DOTALL)
_FEWEST_DIGITS = 2
"""Least number of decimals of rounded coordinates; where all have fewer they are taken as exact: 0,
0.5."""
_MOST_DIGITS = 4
_IMAGE_ERROR = 3
"""Largest difference of an image from its site, in errors of a coordinate: rows of the operations
on hexagonal axes add two coordinates, and the site has its own."""


def read_cif(text: str) -> ParsedStructure:
    """Read the one structure of a CIF; see the module for the rules.

    Raises:
        MaterialError: if it cannot be read, is larger than the bounds, holds no structure or
            several, or its coordinates are too coarse for its symmetry.
    """
    return parsed("CIF", lambda: (_structure(text), []))


def _structure(text: str) -> Structure:
    _require_few_words(text)
    structures = _structures(text)
    if len(structures) != 1:
        raise MaterialError(
            f"it holds {len(structures)} structures",
            remedy="Give each structure a file of its own.",
        )
    # Sorted anew: noble gases have no electronegativity, and NaN is less than nothing.
    return structures[0].get_sorted_structure(key=_electronegativity)


def _electronegativity(site: PeriodicSite) -> tuple[float, str]:
    mean = site.species.average_electroneg
    return (mean if math.isfinite(mean) else math.inf, site.species_string)


def _require_few_words(text: str) -> None:
    n_words = len(_TEXT_BLOCK.sub(" ", text).split())
    if n_words > CIF_WORDS:
        raise MaterialError(
            f"it has {n_words:,} words, more than the {CIF_WORDS:,} that are read",
            remedy="Leave out what is not the structure, such as reflections.",
        )


def _structures(text: str) -> list[Structure]:
    file = CifFile.from_str(text)
    blocks = [block for block in file.data.values() if _has_sites(block)]
    for block in blocks:
        _require_small(block)
    parser = CifParser.from_str(text, frac_tolerance=0, site_tolerance=SAME_SITE)
    for block in blocks:
        _require_elements(parser, block)
    have_symmetry = [_move_onto_special_positions(parser, block) for block in blocks]
    if any(have_symmetry):
        parser = CifParser.from_str(str(file), frac_tolerance=0, site_tolerance=SAME_SITE)
    structures = parser.parse_structures(primitive=False)
    if len(structures) < len(blocks):  # the parser passes over what it cannot read
        raise ValueError(f"{len(blocks) - len(structures)} of {len(blocks)} blocks with atoms")
    for structure in structures if any(have_symmetry) else ():
        _require_apart(structure)
    return structures


def _require_elements(parser: CifParser, block: CifBlock) -> None:
    """Refuse what the parser would leave out without a word."""
    labels = block.data.get("_atom_site_type_symbol") or block.data.get("_atom_site_label") or []
    for label in labels:
        if label[:3] in _WITH_HYDROGEN:
            raise MaterialError(
                f"its site {label} implies hydrogen without a place",
                remedy="Give each atom a row.",
            )
        if not parser._parse_symbol(label):
            raise MaterialError(f"its site {label[:40]!r} is no element")


def _require_small(block: CifBlock) -> None:
    """Refuse more atoms, operations or images than the bounds allow."""
    n_rows = len(block.data[_COORDINATES[0]])
    require_few_atoms(n_rows, CIF_ATOMS)
    lists = [block.data.get(name) for name in (*OPERATIONS, *_MAGNETIC)]
    n_operations = max((len(each) for each in lists if isinstance(each, list)), default=1)
    if n_operations > CIF_OPERATIONS or n_rows * n_operations > CIF_IMAGES:
        raise MaterialError(
            f"it has {n_operations:,} symmetry operations on {n_rows:,} rows of atoms, more than "
            "are read",
            remedy="Write all atoms of the cell in P1, or as POSCAR.",
        )


def _has_sites(block: CifBlock) -> bool:
    return all(isinstance(block.data.get(name), list) for name in _COORDINATES)


def _move_onto_special_positions(parser: CifParser, block: CifBlock) -> bool:
    """Write exact coordinates where symmetry asks for them; return whether there is symmetry."""
    operations = parser.get_symops(block)
    require_known_symmetry(block, operations)
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
    """Refuse atoms nearer to each other than ``TOO_CLOSE``."""
    heights = 1 / np.linalg.norm(np.linalg.inv(structure.lattice.matrix), axis=0)  # (3,)
    if heights.min() < 2 * TOO_CLOSE:
        raise MaterialError(f"its cell is {heights.min():.3g} Å thin, too thin for atoms")
    # Along the normal of each face the distance is no longer than in space. A grid of cells, which
    # other neighbour lists are made with, would take gigabytes in a large cell.
    fractions = structure.frac_coords % 1 % 1  # -1e-17 % 1 is 1
    tree = KDTree(fractions * heights, boxsize=heights)
    pairs = tree.query_pairs(TOO_CLOSE, p=np.inf, output_type="ndarray")
    differences = fractions[pairs[:, 0]] - fractions[pairs[:, 1]]
    differences -= np.round(differences)
    distances = np.linalg.norm(differences @ structure.lattice.matrix, axis=1)
    if len(distances) and distances.min() < TOO_CLOSE:
        raise MaterialError(
            f"its symmetry puts atoms {distances.min():.3f} Å apart: coordinates are too coarse "
            "for their special positions, or atoms overlap",
            remedy="Write coordinates with at least four digits, or all atoms of the cell in P1.",
        )


def _n_decimals(text: str) -> int:
    found = re.search(r"\.(\d+)", text)
    return len(found[1]) if found else 0
