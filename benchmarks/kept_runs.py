"""Folders of the runs that a benchmark makes: temporary, or kept where the user says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

KEEP = "ALLOOP_BENCH_RUNS"
"""Environment variable with the folder in which runs are kept, and gone on with by the next
measurement; without it they lie in a temporary folder and go."""


@contextmanager
def runs_folder(part: str) -> Iterator[Path]:
    """Give the folder of a part's runs, which outlives the part only if it is to be kept."""
    if kept := os.environ.get(KEEP):
        folder = Path(kept).absolute() / part
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with TemporaryDirectory(prefix=f"alloop-{part}-") as temporary:
        yield Path(temporary)
