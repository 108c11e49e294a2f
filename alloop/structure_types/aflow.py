"""Prototypes of the AFLOW Library of Crystallographic Prototypes, as frames to be filled.

The library (Mehl et al., Comput. Mater. Sci. 136, S1 (2017), part 1: 288 structure types of one to
five elements) comes with pymatgen. Its file is read as plain JSON, so that nothing in it names a
class to be made.
"""

import gzip
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pymatgen.core import Lattice, Structure

from alloop.errors import MaterialError
from alloop.structure_types.frames import Frame

_PACKAGE = "pymatgen.analysis.prototypes"
_FILE = "aflow_prototypes.json.gz"


@cache
def aflow_frames(max_atoms: int) -> tuple[Frame, ...]:
    """Return the frames of all prototypes whose primitive cells have at most so many atoms.

    Names are AFLOW's labels, such as ``AB3C_cP5_221_a_c_b``, with the Strukturbericht symbol or
    the mineral where there is one. Of equal frames the first counts.
    """
    frames: dict[bytes, Frame] = {}
    for entry in _entries():
        if len(entry["snl"]["sites"]) > max_atoms:
            continue
        frame = Frame.of_prototype(_structure(entry["snl"]), _name(entry["tags"]))
        frames.setdefault(frame.key, frame)
    return tuple(frames.values())


def _entries() -> list[dict[str, Any]]:
    """Return the library's entries.

    Raises:
        MaterialError: if the installed pymatgen has no such file.
    """
    spec = find_spec(_PACKAGE)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    for folder in folders:
        if (path := Path(folder) / _FILE).is_file():
            entries: list[dict[str, Any]] = json.loads(gzip.decompress(path.read_bytes()))
            return entries
    raise MaterialError(
        f"pymatgen's library of prototypes ({_FILE}) is not where it was",
        remedy="Install the version of pymatgen that constraints.txt names.",
    )


def _structure(snl: dict[str, Any]) -> Structure:
    symbols = [site["species"][0]["element"] for site in snl["sites"]]
    return Structure(
        Lattice(snl["lattice"]["matrix"]), symbols, [site["abc"] for site in snl["sites"]]
    )


def _name(tags: dict[str, str]) -> str:
    known_as = [
        tags[key] for key in ("strukturbericht", "mineral") if tags[key] not in ("", "None")
    ]
    return f"{tags['aflow']} ({known_as[0]})" if known_as else tags["aflow"]
