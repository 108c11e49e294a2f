"""An oracle with a known answer that writes down every call it gets."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from pymatgen.core import Structure

from alloop.canonical import sha256
from alloop.materials import Material, material_id
from alloop.oracles.base import Cost, FailureKind, Measurement, Status


def is_deadly(candidate: str) -> bool:
    """Return whether a deadly oracle's worker dies of this candidate."""
    return int(candidate[:8], 16) % 5 == 3


@dataclass(frozen=True)
class CountingOracle:
    """Counts unlike neighbours; if asked, every fifth material or so kills its worker."""

    calls: Path
    is_deadly: bool = False
    seconds: float = 0.03
    offset: float = 0.0
    """Of the bulk modulus, GPa."""
    name: str = "counting"

    def fingerprint(self) -> str:
        return sha256(f"counting oracle {self.offset}")

    def measure(self, material: Material) -> Measurement:
        id = material_id(material)
        with self.calls.open("a") as file:  # one short line appended at once
            file.write(f"{id}\n")
        time.sleep(self.seconds)
        if self.is_deadly and is_deadly(id):
            os._exit(3)
        cost = Cost(calls=1, wall_seconds=self.seconds)
        if not isinstance(material, Structure):
            return Measurement.failed(
                FailureKind.UNSUPPORTED,
                "no sites",
                oracle=self.name,
                fingerprint=self.fingerprint(),
                cost=cost,
            )
        shortest = material.distance_matrix[material.distance_matrix > 0].min()
        centres, points, _, _ = material.get_neighbor_list(1.01 * shortest)
        numbers = material.atomic_numbers
        unlike = sum(numbers[i] != numbers[j] for i, j in zip(centres, points, strict=True))
        share = unlike / len(centres)
        properties = {
            "bulk_modulus": 150.0 + 40.0 * share + self.offset,
            "formation_energy_per_atom": 0.1 * share,
        }
        return Measurement(
            Status.OK, properties, material, None, self.name, self.fingerprint(), cost
        )
