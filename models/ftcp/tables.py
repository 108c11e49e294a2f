"""Data sets as CDVAE publishes them: CSV files with a column of CIFs and columns of properties."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core import Structure
from pymatgen.io.cif import CifParser

from alloop.errors import MaterialError
from alloop.models.base import Dataset, SkippedRow
from alloop.models.ftcp.representation.crystals import Size, representation_problem

ROOM_FOR_ANYTHING = Size(10**6, 10**6)
"""Refusals then speak of the crystal alone, not of a model's size."""


@dataclass(frozen=True)
class Table:
    """What was read of a file, and what was not."""

    data: Dataset
    names: tuple[str, ...]
    """``material_id`` of each crystal in ``data``; empty where the table has none."""
    skipped: tuple[SkippedRow, ...]


def read_table(path: Path, properties: Mapping[str, str], *, size: Size | None = None) -> Table:
    """Read crystals and their properties.

    Rows whose CIF cannot be read, is disordered, or does not fit the size are skipped and
    named. An empty or NaN cell is a property that is not known.

    Args:
        path: CSV with a column ``cif``.
        properties: property name to its column, for example
            ``{"formation_energy_per_atom": "heat_all"}``; values in the property's unit.
        size: largest crystals to take; by default any.

    Raises:
        MaterialError: if a column is missing, a property is text, or no row is a crystal.
    """
    frame = _read_csv(path)
    for column in ("cif", *properties.values()):
        if column not in frame:
            raise MaterialError(
                f"there is no column {column!r}; there are {', '.join(map(str, frame.columns))}",
                where=str(path),
            )
    labels = np.column_stack(
        [np.empty((len(frame), 0)), *(_numbers(path, frame[c]) for c in properties.values())]
    )
    all_names = frame["material_id"].astype(str) if "material_id" in frame else [""] * len(frame)
    crystals: list[Structure] = []
    rows: list[int] = []
    skipped: list[SkippedRow] = []
    for row, (cif, name) in enumerate(zip(frame["cif"], all_names, strict=True)):
        crystal = _read_cif(cif)
        if isinstance(crystal, Structure):
            reason = representation_problem(crystal, size or ROOM_FOR_ANYTHING)
            if reason is None:
                crystals.append(crystal)
                rows.append(row)
                continue
            crystal = reason
        skipped.append(SkippedRow(row, name, crystal))
    if not crystals:
        first = f"; row 0: {skipped[0].reason}" if skipped else ""
        raise MaterialError(f"none of {len(frame)} rows is a crystal{first}", where=str(path))
    data = Dataset(
        materials=tuple(crystals),
        property_names=tuple(properties),
        labels=labels[rows],
        is_augmented=np.zeros(len(crystals), dtype=bool),
    )
    return Table(data, tuple(all_names[row] for row in rows), tuple(skipped))


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise MaterialError(
            f"this is not a readable CSV file ({error})",
            where=str(path),
            remedy="Give a CSV with a column cif and one per property.",
        ) from error


def _numbers(path: Path, column: "pd.Series[float]") -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(values) & column.notna().to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise MaterialError(
            f"{column.iloc[row]!r} in column {column.name!r}, row {row}, is no finite number "
            f"({int(wrong.sum())} such cells)",
            where=str(path),
            remedy="Leave the cell empty where the value is not known.",
        )
    return values


def _read_cif(cif: object) -> Structure | str:
    """Return the structure, or why there is none."""
    if not isinstance(cif, str):
        return "the cell cif is empty"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # thousands of notes on labels; what matters is refused
        try:
            # Rounding coordinates to thirds would move atoms of relaxed cells.
            parser = CifParser.from_str(cif, frac_tolerance=0)
            return parser.parse_structures(primitive=False)[0]
        except Exception as error:  # the parser raises whatever the text provokes
            return f"the CIF cannot be read ({type(error).__name__}: {error})"
