"""A small table under the columns of Perov-5."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter


def write_perovskites(path: Path, cells: Sequence[Structure]) -> Path:
    """Write crystals with made-up energies and gaps, and return the path."""
    frame = pd.DataFrame(
        {
            "material_id": range(len(cells)),
            "cif": [str(CifWriter(cell)) for cell in cells],
            "formula": [cell.composition.reduced_formula for cell in cells],
            "heat_all": [cell.volume / len(cell) / 100 for cell in cells],
            "heat_ref": 0.0,
            "dir_gap": [len(cell) / 3 for cell in cells],
            "ind_gap": 0.0,
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path)
    return path
