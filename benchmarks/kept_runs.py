"""What a benchmark keeps: folders of its runs, temporary or where the user says, and figures."""

import json
import os
from collections.abc import Callable, Iterator
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


def kept_figures(path: Path, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Return the figures of a file, measured and written first if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(measure()), encoding="utf-8")
    found: dict[str, float] = json.loads(path.read_text("utf-8"))
    return found
