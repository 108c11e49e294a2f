"""Whether the symmetry of a CIF is known: a guess would make another crystal of it.

The parser takes P1 where it cannot read operations, and one of several settings where only the name
of a space group is given. Both are refused here.
"""

import numpy as np
from pymatgen.core.operations import SymmOp
from pymatgen.io.cif import CifBlock, str2float
from pymatgen.symmetry.groups import SpaceGroup

from alloop.errors import MaterialError

OPERATIONS = (
    "_symmetry_equiv_pos_as_xyz",
    "_symmetry_equiv_pos_as_xyz_",
    "_space_group_symop_operation_xyz",
    "_space_group_symop_operation_xyz_",
)
"""Names that the parser finds symmetry operations under."""
_NAMES = (
    "_symmetry_space_group_name_H-M",
    "_symmetry_space_group_name_H_M",
    "_space_group_name_H-M_alt",
    "_space_group_name_Hall",
    "_symmetry_space_group_name_Hall",
)
_NUMBERS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
_P1 = frozenset({"", "?", ".", "P1", "1"})

_TWO_ORIGINS = frozenset(
    (48, 50, 59, 68, 70, 85, 86, 88, 125, 126, 129, 130, 133, 134, 137, 138, 141, 142)
) | {201, 203, 222, 224, 227, 228}
"""Numbers of the space groups with two choices of origin (International Tables, volume A)."""
_WRITE = "Write its operations (_space_group_symop_operation_xyz), or all atoms of the cell in P1."


def require_known_symmetry(block: CifBlock, operations: list[SymmOp]) -> None:
    """Check that the operations which the parser found are those of the file.

    Args:
        block: with the atoms.
        operations: what the parser found for it.

    Raises:
        MaterialError: if the file has operations that cannot be read, or names only a group that
            is not known, or one with several settings.
    """
    listed = [block.data[name] for name in OPERATIONS if block.data.get(name)]
    if any(_are_readable([each] if isinstance(each, str) else each) for each in listed):
        return
    if listed:
        texts = listed[0]
        shown = texts if isinstance(texts, str) else ", ".join(map(str, texts[:3]))
        raise MaterialError(
            f"its symmetry cannot be read: its operations are {shown[:80]}",
            remedy="Write them as x,y,z.",
        )
    named = _named(block)
    if not named:
        return
    if len(operations) < 2:
        raise MaterialError(
            f"its symmetry cannot be read: {named} is no known space group", remedy=_WRITE
        )
    number = _number(block)
    if number in _TWO_ORIGINS and ":" not in named:
        raise MaterialError(
            f"its symmetry cannot be read: {named} has two choices of origin, and it says neither",
            remedy=_WRITE,
        )
    if named.upper().startswith("R") and not _is_hexagonal(block) and not named.endswith(":R"):
        raise MaterialError(
            f"its symmetry cannot be read: {named} may be on rhombohedral axes, as its cell is",
            remedy=_WRITE,
        )


def _are_readable(texts: list[str]) -> bool:
    try:
        # What the parser does not understand in an operation becomes zeros.
        matrices = [SymmOp.from_xyz_str(text).rotation_matrix for text in texts]
        return bool(np.allclose(np.abs(np.linalg.det(matrices)), 1))
    except (ValueError, ZeroDivisionError):
        return False


def _named(block: CifBlock) -> str:
    """Return the name or number of the space group, or an empty string for P1 and none."""
    values = ["".join(str(block.data.get(name, "")).split()) for name in (*_NAMES, *_NUMBERS)]
    return next((value for value in values if value.strip("'\"") not in _P1), "")


def _number(block: CifBlock) -> int:
    for name in _NUMBERS:
        try:
            return int(str2float(block.data.get(name, "")))
        except (ValueError, TypeError):
            continue
    named = _named(block)
    try:
        return SpaceGroup(named).int_number
    except ValueError:
        return 0


def _is_hexagonal(block: CifBlock) -> bool:
    names = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")
    angles = [str2float(block.data[name]) for name in names]
    return max(abs(a - b) for a, b in zip(angles, (90, 90, 120), strict=True)) < 1
