"""Data sets of crystals as CDVAE publishes them: CSV with a column of CIFs and of properties."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import Structure

from alloop.cif import read_cif
from alloop.errors import MaterialError
from alloop.models.base import Dataset, SkippedRow

AUGMENTED = "is_augmented"
"""Column that is true in rows of local search; where there is none, no row is of one."""


@dataclass(frozen=True)
class CrystalTable:
    """Crystals read from a file, and the rows that were skipped."""

    data: Dataset
    rows: tuple[int, ...]
    """Row in the file of each crystal in ``data``."""
    names: tuple[str, ...]
    """``material_id`` of each crystal in ``data``; empty where the table has none."""
    skipped: tuple[SkippedRow, ...]


def read_crystal_table(
    path: Path,
    properties: Mapping[str, str],
    *,
    refusal: Callable[[Structure], str | None] = lambda _: None,
) -> CrystalTable:
    """Read crystals and their properties.

    Rows whose CIF cannot be read, is disordered or is refused by the model are skipped and named.
    An empty or NaN cell is a property that is not known.

    Args:
        path: CSV with a column ``cif``.
        properties: property name to its column, for example
            ``{"formation_energy_per_atom": "heat_all"}``; values in the property's unit.
        refusal: why a model cannot hold a crystal; None where it can.

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
    is_augmented = _is_augmented(path, frame)
    all_names = frame["material_id"].astype(str) if "material_id" in frame else [""] * len(frame)
    crystals: list[Structure] = []
    rows: list[int] = []
    skipped: list[SkippedRow] = []
    for row, (cif, name) in enumerate(zip(frame["cif"], all_names, strict=True)):
        found = _ordered_crystal(cif)
        reason = found if isinstance(found, str) else refusal(found)
        if isinstance(found, str) or reason is not None:
            skipped.append(SkippedRow(row, name, str(reason)))
            continue
        crystals.append(found)
        rows.append(row)
    if not crystals:
        first = f"; row 0: {skipped[0].reason}" if skipped else ""
        raise MaterialError(f"none of {len(frame)} rows is a crystal{first}", where=str(path))
    data = Dataset(
        materials=tuple(crystals),
        property_names=tuple(properties),
        labels=labels[rows],
        is_augmented=is_augmented[rows],
    )
    return CrystalTable(data, tuple(rows), tuple(all_names[row] for row in rows), tuple(skipped))


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise MaterialError(
            f"this is not a readable CSV file ({error})",
            where=str(path),
            remedy="Give a CSV with a column cif and one per property.",
        ) from error


def _numbers(path: Path, column: "pd.Series[float]") -> NDArray[np.float64]:
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


def _is_augmented(path: Path, frame: pd.DataFrame) -> NDArray[np.bool_]:
    if AUGMENTED not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    if frame[AUGMENTED].dtype != bool:
        raise MaterialError(
            f"the column {AUGMENTED} holds something else than True and False", where=str(path)
        )
    return frame[AUGMENTED].to_numpy(bool)


def _ordered_crystal(cif: object) -> Structure | str:
    """Return the structure, or why there is none."""
    if not isinstance(cif, str):
        return "the cell cif is empty"
    try:
        structure = read_cif(cif).structure
    except MaterialError as error:
        return error.what
    return structure if structure.is_ordered else "it has partly occupied sites"
