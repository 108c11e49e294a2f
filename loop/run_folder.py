"""Run folders, and the files beside their ledger."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alloop.durable import write_durably
from alloop.errors import RunError
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import LedgerEntry
from alloop.loop.record.ledger import Ledger, no_collection
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.fold import fold

RUNS = Path("runs")


@dataclass(frozen=True)
class RunFolder:
    """Run directory opened for reading; a controller may be writing to it meanwhile."""

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
        with no_collection(), Ledger.open(path, writable=False) as ledger:
            entries = tuple(ledger.entries())
            head = entries[-1].hash if entries else ""
            state = fold(entries)
            # They stay as long as the command runs: no use in looking whether they are garbage.
            gc.freeze()
        if state is None:
            raise RunError(
                "no campaign has begun here", where=str(path), remedy="Use `alloop launch`."
            )
        return cls(path, entries, state, head)

    @property
    def store(self) -> ArtifactStore:
        """Artifact store of the run."""
        return ArtifactStore.of_run(self.path)

    def write_best_cif(self) -> Path | None:
        """Write the best candidate's relaxed structure as CIF; None where there is no structure."""
        from pymatgen.core import Structure  # noqa: PLC0415 (status and audit read runs without it)
        from pymatgen.io.cif import CifWriter  # noqa: PLC0415

        best = self.state.best()
        if best is None:
            return None
        material = self.store.get_material(best.relaxed or best.candidate)
        if not isinstance(material, Structure):
            return None
        path = self.path / "best.cif"
        write_durably(path, str(CifWriter(material)).encode(), is_shared=True)
        return path


@contextmanager
def open_to_write(run: Path) -> Iterator[tuple[RunFolder, Ledger]]:
    """Open a run that has begun, for whoever tells it something by hand: as it stands, and its
    ledger to be written to.

    Raises:
        RunError: if there is no campaign, or a controller is working on it.
        LedgerError: if something in its ledger was changed.
    """
    folder = RunFolder.read(run)  # a writer would make what is not there
    with Ledger.open(run, writable=True) as ledger:
        if ledger.head() != folder.head:
            folder = RunFolder.read(run)  # somebody has written to it meanwhile
        yield folder, ledger
