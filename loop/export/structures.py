"""Structures in the formats of others: extended XYZ, CIF, OPTIMADE."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from ase.io import write
from pymatgen.core import Composition, Structure
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
    return frames_text(
        [
            (
                structure,
                {
                    "candidate": item.measured.candidate,
                    "tier": item.measured.tier,
                    **item.measured.properties,
                },
            )
            for item, structure in with_structures(items)
        ]
    )


def frames_text(frames: Iterable[tuple[Structure, Mapping[str, Any]]]) -> str:
    """Return structures as extended XYZ, each with what stands beside its cell."""
    found = []
    for structure, facts in frames:
        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        # Without a calculator nothing is taken for ASE's own energies and forces.
        atoms.info = dict(facts)
        found.append(atoms)
    text = io.StringIO()
    write(text, found, format="extxyz")
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
    """Return an entry of OPTIMADE's type ``structures``; its specification, section 7.2, has the
    meaning of each attribute."""
    composition = structure.composition
    reduced, _ = composition.get_integer_formula_and_factor()
    symbols = sorted(composition.get_el_amt_dict())
    amounts = [composition[symbol] for symbol in symbols]
    own = {f"_{PROVIDER}_{name}": value for name, value in item.measured.properties.items()}
    moment = datetime.fromisoformat(modified).astimezone(UTC)
    attributes = {
        # Timestamps have whole seconds.
        "last_modified": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "elements": symbols,
        "nelements": len(symbols),
        "elements_ratios": [amount / composition.num_atoms for amount in amounts],
        "chemical_formula_descriptive": composition.formula,
        "chemical_formula_reduced": _alphabetical(Composition(reduced)),
        "chemical_formula_anonymous": _anonymous(Composition(reduced)),
        "dimension_types": [1, 1, 1],
        "nperiodic_dimensions": 3,
        "lattice_vectors": structure.lattice.matrix.tolist(),
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "nsites": len(structure),
        "species": [
            {"name": symbol, "chemical_symbols": [symbol], "concentration": [1.0]}
            for symbol in symbols
        ],
        "species_at_sites": [site.specie.symbol for site in structure],
        "structure_features": [],
        **own,
    }
    return {"id": item.id, "type": "structures", "attributes": attributes}


def _alphabetical(composition: Composition) -> str:
    """Return a formula with the elements in alphabetical order: ``Cr2Fe9Ni5``."""
    return "".join(
        f"{symbol}{_count(amount)}" for symbol, amount in sorted(composition.as_dict().items())
    )


def _anonymous(composition: Composition) -> str:
    """Return a formula with A for the most frequent element, B for the next: ``A9B5C2``."""
    amounts = sorted(composition.as_dict().values(), reverse=True)
    return "".join(f"{_letters(n)}{_count(amount)}" for n, amount in enumerate(amounts))


def _letters(n: int) -> str:
    """Return the n-th name of OPTIMADE's anonymous elements: A … Z, Aa … Za, Ab …"""
    upper, lower = ascii_uppercase[n % 26], n // 26
    return upper if lower == 0 else upper + ascii_lowercase[lower - 1]


def _count(amount: float) -> str:
    return "" if amount == 1 else f"{amount:.0f}"
