"""What is exported: every measurement in force, with its decision and the structure it is of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pymatgen.core import Structure

from alloop.loop.record.events import Decision, Measured
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import Status

CIF_FOLDER = "cif"


@dataclass(frozen=True)
class Exported:
    """A measurement, the decision that asked for it first, and its structure."""

    measured: Measured
    decision: Decision
    structure: Structure | None
    """Structure at rest or, where the oracle relaxed none, as it was proposed; None for a
    composition and for a failed measurement."""

    @property
    def id(self) -> str:
        """Name within the export: the candidate and the tier that measured it."""
        return f"{self.measured.candidate}-{self.measured.tier}"

    @property
    def cif(self) -> str | None:
        """Path of its CIF within the export; None without a structure."""
        return None if self.structure is None else f"{CIF_FOLDER}/{self.id}.cif"

    def to_json(self) -> dict[str, Any]:
        """Return the measurement and its origin as plain JSON values."""
        m, decision = self.measured, self.decision
        return {
            "candidate": m.candidate,
            "formula": decision.formula,
            "lattice": decision.lattice,
            "tier": m.tier,
            "oracle": m.oracle,
            "fingerprint": m.fingerprint,
            "round": m.round,
            "stage": m.stage.value,
            "status": m.status.value,
            "failure": m.failure_message,
            "properties": dict(m.properties),
            "doubts": dict(m.doubts),
            "remarks": dict(m.remarks),
            "cost": vars(m.cost),
            "predicted": {name: p.model_dump() for name, p in decision.posterior.items()},
            "reason": decision.reason,
            "lineage": decision.lineage.model_dump(mode="json", exclude_none=True),
            "structure": self.cif,
        }


def contents(folder: RunFolder) -> Iterator[Exported]:
    """Yield every measurement in force, in the order of arrival.

    Raises:
        LedgerError: if a structure is missing from the run, or not what it was.
    """
    for m in folder.state.measured.values():
        material = (
            folder.store.get_material(m.relaxed or m.candidate) if m.status is Status.OK else None
        )
        structure = material if isinstance(material, Structure) else None
        yield Exported(m, folder.state.decisions[m.candidate], structure)
