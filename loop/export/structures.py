"""Structures in the formats of others: extended XYZ, CIF, OPTIMADE."""

import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from ase.io import write
from optimade.adapters.structures.pymatgen import from_pymatgen
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter

from alloop.loop.export.contents import Exported

OPTIMADE_VERSION = "1.2.0"
PROVIDER = "alloop"
"""Prefix of properties that OPTIMADE does not know: ``_alloop_bulk_modulus``."""


def with_structures(items: Sequence[Exported]) -> Iterator[tuple[Exported, Structure]]:
    """Yield the measurements that have a structure, with it."""
    for item in items:
        if item.structure is not None:
            yield item, item.structure


def extended_xyz(items: Sequence[Exported]) -> str:
    """Return every structure as a frame of an extended XYZ file, its properties beside the cell."""
    frames = []
    for item, structure in with_structures(items):
        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        atoms.info = {
            "candidate": item.measured.candidate,
            "tier": item.measured.tier,
            **item.measured.properties,
        }
        frames.append(atoms)
    text = io.StringIO()
    # Without a calculator nothing is taken for ASE's own energies and forces.
    write(text, frames, format="extxyz")
    return text.getvalue()


def cif(structure: Structure) -> str:
    """Return a structure as CIF, with all its digits."""
    return str(CifWriter(structure, significant_figures=12))


def optimade_structures(items: Sequence[Exported], modified: str) -> str:
    """Return a response of OPTIMADE's endpoint for structures, as JSON.

    Args:
        items: the measurements.
        modified: time of the newest of them: UTC, ISO 8601.
    """
    data = [_resource(item, structure, modified) for item, structure in with_structures(items)]
    response = {
        "meta": {
            "query": {"representation": "/structures"},
            "api_version": OPTIMADE_VERSION,
            "more_data_available": False,
            "data_returned": len(data),
            "data_available": len(data),
            "provider": {
                "name": "Alloop",
                "description": "an export of one campaign, served by nobody",
                "prefix": PROVIDER,
            },
        },
        "data": data,
    }
    return json.dumps(response, indent=1, ensure_ascii=False) + "\n"


def _resource(item: Exported, structure: Structure, modified: str) -> dict[str, Any]:
    attributes = from_pymatgen(structure).model_dump(mode="json", exclude_none=True)
    own = {f"_{PROVIDER}_{name}": value for name, value in item.measured.properties.items()}
    moment = datetime.fromisoformat(modified).astimezone(UTC)
    # OPTIMADE's timestamps have whole seconds.
    last = {"last_modified": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"id": item.id, "type": "structures", "attributes": attributes | own | last}
