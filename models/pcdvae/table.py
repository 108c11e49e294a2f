"""Crystals from a table in CDVAE's format: CSV with a ``cif`` column."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.cif import CifParser

from alloop.errors import MaterialError
from alloop.models.base import Dataset
from alloop.models.pcdvae.networks.crystal import ReducedCrystal

AUGMENTED = "is_augmented"


@dataclass(frozen=True)
class RefusedRow:
    """A row that is no crystal."""

    row: int
    """Counted from 0, without the header."""
    reason: str


@dataclass(frozen=True)
class Table:
    """What a file held."""

    data: Dataset
    rows: tuple[int, ...]
    """Row in the file of each material."""
    refused: tuple[RefusedRow, ...]

    def summary(self) -> str:
        """Return how many rows were read, and why the others were not, for people."""
        lines = [f"{len(self.rows)} crystals read, {len(self.refused)} rows refused"]
        return "\n".join([*lines, *(f"row {bad.row}: {bad.reason}" for bad in self.refused)])


def read_table(path: Path, properties: Mapping[str, str]) -> Table:
    """Read a table; rows that cannot be read are named and counted, never guessed at.

    Rows of local search are those whose ``is_augmented`` is true, where there is such a column.

    Args:
        path: of the CSV.
        properties: column of each property, by the property's name; empty cells are unknown.

    Raises:
        MaterialError: if the file is no such table, or holds no crystal.
    """
    try:
        frame = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise MaterialError(f"this is no readable table ({error})", where=str(path)) from error
    if missing := [name for name in ("cif", *properties.values()) if name not in frame.columns]:
        raise MaterialError(
            f"the table has no column {', '.join(missing)}",
            where=str(path),
            remedy=f"Its columns are {', '.join(map(str, frame.columns))}.",
        )
    materials, rows, refused = [], [], []
    values = frame[list(properties.values())].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    for row, text in enumerate(frame["cif"]):
        try:
            materials.append(_structure(text))
            rows.append(row)
        except MaterialError as error:
            refused.append(RefusedRow(row, str(error)))
    if not rows:
        first = refused[0].reason if refused else "it has no rows"
        raise MaterialError(f"no row is a crystal: {first}", where=str(path))
    data = Dataset(
        materials=tuple(materials),
        property_names=tuple(properties),
        labels=values[rows],
        is_augmented=_is_augmented(frame, path)[rows],
    )
    return Table(data, tuple(rows), tuple(refused))


def _is_augmented(frame: pd.DataFrame, path: Path) -> NDArray[np.bool_]:
    if AUGMENTED not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    if frame[AUGMENTED].dtype != bool:
        raise MaterialError(
            f"the column {AUGMENTED} holds something else than True and False", where=str(path)
        )
    return frame[AUGMENTED].to_numpy(bool)


def _structure(text: object) -> Structure:
    """Read a CIF and check that it is a crystal.

    Raises:
        MaterialError: saying why it is not.
    """
    if not isinstance(text, str):
        raise MaterialError("the cell of the column cif is empty")
    with warnings.catch_warnings():
        # What a parser would only warn of and mend by itself is refused instead.
        warnings.simplefilter("error")
        try:
            # Rounding coordinates to thirds would move atoms of relaxed cells, and merging
            # neighbours would lose them.
            parser = CifParser.from_str(text, frac_tolerance=0, site_tolerance=1e-6)
            (structure,) = parser.parse_structures(primitive=False)
        except (ValueError, KeyError, IndexError, AssertionError, UserWarning) as error:
            raise MaterialError(f"the CIF cannot be read ({error})") from error
    ReducedCrystal.of(structure)
    return structure
