"""Designed materials as files that `alloop add` and `alloop score` read."""

from pathlib import Path

from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from alloop.durable import make_folder, write_durably
from alloop.loop.analyse.design import Designs

_DIGITS = 10


def write_designs(designs: Designs, folder: Path) -> list[Path]:
    """Write crystals as CIF, one a file, and alloys as one CSV of their fractions; return the
    paths.

    Raises:
        RunError: if a file cannot be written.
    """
    make_folder(folder)
    written, alloys = [], []
    for place, each in enumerate(designs.judged, start=1):
        if isinstance(each.material, Structure):
            path = folder / f"{place:03d}-{each.id[:_DIGITS]}.cif"
            write_durably(path, str(CifWriter(each.material)).encode(), is_shared=True)
            written.append(path)
        else:
            alloys.append(each.material.get_el_amt_dict())
    if alloys:
        symbols = sorted({symbol for alloy in alloys for symbol in alloy})
        lines = [",".join(repr(alloy.get(symbol, 0.0)) for symbol in symbols) for alloy in alloys]
        path = folder / "designs.csv"
        text = "\n".join([",".join(symbols), *lines])
        write_durably(path, f"{text}\n".encode(), is_shared=True)
        written.append(path)
    return written
