"""An oracle that fails in ways of its own; light, because worker processes import it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from alloop.canonical import sha256
from alloop.materials import Material, material_id
from alloop.oracles.base import Cost, FailureKind, Measurement, Status


@dataclass(frozen=True)
class Flaky:
    """Answers with a number made of the material's id.

    One material in ``every`` is bad: the first ``deaths`` times it kills its worker, or, with
    ``kind``, it fails in an orderly way.
    """

    calls: Path
    """Gets a line per call: id, and the moments when it began and ended."""
    every: int = 2
    deaths: int = 0
    kind: FailureKind | None = None
    seconds: float = 0.0
    version: str = "1"
    name: str = "flaky"

    def fingerprint(self) -> str:
        return sha256(f"flaky {self.version}")

    def is_bad(self, id: str) -> bool:
        return int(id[:8], 16) % self.every == 0

    def die(self) -> None:
        os._exit(3)

    def measure(self, material: Material) -> Measurement:
        id, began = material_id(material), time.time()
        time.sleep(self.seconds)
        earlier = calls_of(self.calls).count(id)
        with self.calls.open("a") as file:  # one short line appended at once
            file.write(f"{id} {began} {time.time()}\n")
        cost = Cost(calls=1, wall_seconds=self.seconds, money=2.0)
        if self.is_bad(id) and earlier < self.deaths:
            self.die()
        if self.is_bad(id) and self.kind is not None:
            return Measurement.failed(
                self.kind, "by nature", oracle=self.name, fingerprint=self.fingerprint(), cost=cost
            )
        values = {"bulk_modulus": 100 + int(id[:8], 16) / 2**32}
        return Measurement(Status.OK, values, material, None, self.name, self.fingerprint(), cost)


def calls_of(calls: Path) -> list[str]:
    """Return the id of each call, in their order."""
    return [line.split()[0] for line in calls.read_text().splitlines()] if calls.exists() else []


def moments_of(calls: Path) -> list[tuple[float, float]]:
    """Return when each call began and ended."""
    lines = [line.split() for line in calls.read_text().splitlines()]
    return [(float(began), float(ended)) for _, began, ended in lines]
