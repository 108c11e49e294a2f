"""Where runs live, and what else is put beside their ledger."""

from dataclasses import dataclass
from pathlib import Path

from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from alloop.errors import RunError
from loop.artifacts import ArtifactStore
from loop.ledger import Ledger
from loop.records import LedgerEntry
from loop.report.page import write_report
from loop.state import CampaignState, fold

RUNS = Path("runs")


@dataclass(frozen=True)
class RunFolder:
    """A run directory, opened for reading; a controller may be writing to it meanwhile."""

    path: Path
    entries: tuple[LedgerEntry, ...]
    state: CampaignState
    head: str

    @classmethod
    def read(cls, path: Path) -> "RunFolder":
        """Read a run.

        Raises:
            RunError: if there is none, or nothing has begun in it.
        """
        with Ledger.open(path, writable=False) as ledger:
            entries = tuple(ledger.entries())
            head = entries[-1].hash if entries else ""
        state = fold(entries)
        if state is None:
            raise RunError(
                "no campaign has begun here", where=str(path), remedy="Use `alloop launch`."
            )
        return cls(path, entries, state, head)

    @property
    def store(self) -> ArtifactStore:
        """The run's artifacts."""
        return ArtifactStore(self.path / "artifacts")

    def write_best_cif(self) -> Path | None:
        """Write the best candidate's relaxed structure as CIF; None where there is no structure."""
        best = self.state.best()
        if best is None:
            return None
        material = self.store.get_material(best.relaxed or best.candidate)
        if not isinstance(material, Structure):
            return None
        path = self.path / "best.cif"
        path.write_text(str(CifWriter(material)), encoding="utf-8")
        return path

    def write_report(self) -> Path:
        """Write the self-contained HTML report."""
        path = self.path / "report.html"
        write_report(self.state, self.store, path, head=self.head)
        return path
