"""Crystals of the Materials Project, with the user's own key, asked for once and kept.

The query is FTCP's (Ren et al., Matter 5 (2022) 314): ternary crystals of at most 20 sites whose
energy above the hull is below 0.08 eV/atom.
"""

import io
import os
import warnings
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from pymatgen.io.cif import CifWriter

from alloop.durable import make_folder, write_durably
from alloop.errors import DataError, MissingSoftware
from alloop.public_data.datasets import data_folder

KEY = "MP_API_KEY"
"""Environment variable that holds the user's key; it is never written anywhere."""
N_ELEMENTS, MAX_SITES, MAX_ABOVE_HULL = 3, 20, 0.08
PROPERTIES = ("formation_energy_per_atom", "energy_above_hull", "band_gap")
"""Columns beside material_id and cif; eV/atom, eV/atom, eV."""
FIELDS = ("material_id", "structure", *PROPERTIES)


def fetch_materials_project(folder: Path | None = None) -> Path:
    """Return a table in CDVAE's format; ask the Materials Project only if it is not there yet.

    A value that the Materials Project does not know is an empty cell.

    Args:
        folder: of all data sets; by default ``data_folder()``.

    Raises:
        MissingSoftware: without mp-api.
        DataError: without a key, or if the Materials Project does not answer.
    """
    path = (folder or data_folder()) / "materials_project" / "ternary.csv"
    if path.exists():
        return path
    table = _table(_ask())
    make_folder(path.parent)
    write_durably(path, table.encode())
    return path


def _ask() -> Iterable[Any]:
    key = os.environ.get(KEY)
    if not key:
        raise DataError(
            "the Materials Project wants a key of your own",
            where=KEY,
            remedy=f"Take one from your account there, and set the variable {KEY} to it.",
        )
    try:
        client = import_module("mp_api.client")
    except ModuleNotFoundError as error:
        raise MissingSoftware(
            f"the Materials Project needs the package {error.name}",
            remedy="Run `pip install alloop[materials-project]`.",
        ) from error
    try:
        with client.MPRester(key) as rester:
            found: Iterable[Any] = rester.materials.summary.search(
                num_elements=(N_ELEMENTS, N_ELEMENTS),
                num_sites=(1, MAX_SITES),
                energy_above_hull=(0.0, MAX_ABOVE_HULL),
                fields=list(FIELDS),
            )
    except Exception as error:  # of the client or of the network: all mean no answer
        text = str(error).replace(key, "…")
        raise DataError(
            f"the Materials Project did not answer ({type(error).__name__}: {text})",
            remedy="Check the key and the network, then try again.",
        ) from error
    return found


def _table(documents: Iterable[Any]) -> str:
    rows: list[dict[str, Any]] = []
    for document in documents:
        if document.energy_above_hull is None or document.energy_above_hull >= MAX_ABOVE_HULL:
            continue  # the query's bound is itself allowed, the paper's is not
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on labels
            cif = str(CifWriter(document.structure))
        values = {name: getattr(document, name) for name in PROPERTIES}
        rows.append({"material_id": str(document.material_id), "cif": cif, **values})
    if not rows:
        raise DataError("the Materials Project gave no crystal", remedy="Try again later.")
    rows.sort(key=_id)
    buffer = io.StringIO()
    pd.DataFrame(rows).to_csv(buffer, index=False)
    return buffer.getvalue()


def _id(row: dict[str, Any]) -> str:
    return str(row["material_id"])
