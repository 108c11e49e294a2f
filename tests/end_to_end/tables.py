"""Small tables in the places of published ones."""

import gzip
import itertools
import json
from pathlib import Path

from pymatgen.core import Lattice, Structure


def write_plate(path: Path) -> None:
    """Write catalysts of six metals with an overpotential in V, without a header."""
    rows = []
    for parts in itertools.product(range(4), repeat=6):
        if sum(parts) == 3:
            fractions = [part / 3 for part in parts]
            overpotential = 0.35 + 0.1 * (fractions[0] - 0.6) ** 2 + 0.05 * fractions[4]
            rows.append(",".join(map(str, [*fractions, overpotential])))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")


def write_binaries(path: Path) -> None:
    """Write binary crystals of the caesium chloride structure with moduli, as packed JSON."""
    records = []
    elements = ("Al", "Ti", "Fe", "Ni", "Cu", "Re", "W", "Mg")
    for number, (one, other) in enumerate(itertools.combinations(elements, 2)):
        edge = 2.7 + 0.02 * number
        crystal = Structure(Lattice.cubic(edge), [one, other], [[0, 0, 0], [0.5, 0.5, 0.5]])
        records.append(
            {
                "mp_id": f"made-up-{number}",
                "formula": crystal.composition.reduced_formula,
                "structure": crystal.as_dict(),
                "bulk_modulus_vrh": 400 - 100 * edge,
                "shear_modulus_vrh": 50.0,
            }
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps(records).encode()))
