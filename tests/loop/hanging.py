"""An oracle that hangs at its first call, as a node with a broken disk does."""

import time
from dataclasses import dataclass
from pathlib import Path

from alloop.materials import Material, material_id
from alloop.oracles.base import Measurement
from tests.loop.flaky import Flaky

HOUR = 3600.0


@dataclass(frozen=True)
class Hanging(Flaky):
    """Flaky, but that whoever comes first never gets an answer."""

    every: int = 2**40

    def measure(self, material: Material) -> Measurement:
        first = self.calls.with_suffix(".hangs")
        try:
            first.touch(exist_ok=False)
        except FileExistsError:
            return super().measure(material)
        first.write_text(material_id(material))
        time.sleep(HOUR)
        raise AssertionError("nobody ended it")


def hung(calls: Path) -> str:
    """Return the candidate that hangs; empty before one does."""
    path = calls.with_suffix(".hangs")
    return path.read_text() if path.exists() else ""
