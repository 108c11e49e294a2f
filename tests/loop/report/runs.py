"""Made-up campaigns as run folders, for what reads these."""

import shutil
from pathlib import Path

from alloop.loop.record.ledger import Ledger
from tests.loop.report.synthetic import Diary


def written_run(diary: Diary, folder: Path) -> Path:
    """Write a diary's ledger and artifacts, and return the folder."""
    with Ledger.open(folder, writable=True) as ledger:
        for each in diary.entries:
            ledger.append(each.event)
    shutil.copytree(diary.store.folder, folder / "artifacts", dirs_exist_ok=True)
    return folder
