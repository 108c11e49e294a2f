"""Designed materials as files that `alloop add` and `alloop score` read."""

from pathlib import Path

from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from alloop.durable import make_folder, write_durably
from alloop.loop.analyse.design import Designs

_DIGITS = 10


def write_designs(designs: Designs, folder: Path) -> list[Path]:
    """Write crystals as CIF, one a file, and alloys as one CSV of formulas; return the paths.

    Raises:
        RunError: if a file cannot be written.
    """
    make_folder(folder)
    written, formulas = [], []
    for place, each in enumerate(designs.judged, start=1):
        if isinstance(each.material, Structure):
            path = folder / f"{place:03d}-{each.id[:_DIGITS]}.cif"
            write_durably(path, str(CifWriter(each.material)).encode(), is_shared=True)
            written.append(path)
        else:
            formulas.append(each.formula)
    if formulas:
        path = folder / "designs.csv"
        text = "\n".join(["formula", *formulas])
        write_durably(path, f"{text}\n".encode(), is_shared=True)
        written.append(path)
    return written
